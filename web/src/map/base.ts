// What every map of the page has: land, tiles where the operator of the server set them, graticule, scale, and the moves.
import Map from "ol/Map";
import View from "ol/View";
import ScaleLine from "ol/control/ScaleLine";
import type { Extent } from "ol/extent";
import { defaults as interactions } from "ol/interaction/defaults";
import type BaseLayer from "ol/layer/Base";
import type Graticule from "ol/layer/Graticule";
import { unitSystem } from "../state/display";
import { graticule, tileLayer } from "./layers";
import type { Land } from "./land";
import { readPalette, type Palette } from "./palette";

const DURATION = 250;
const PADDING = [76, 64, 96, 64];
// Metres a pixel: farther away, the middle of the map says little about what it shows.
const NEAR_ENOUGH = 2500;
const DEPTH = { land: 0, tiles: 1, grid: 2, own: 3 };

export interface Tiles {
  /** A template with {z}, {x}, {y}. */
  url: string | null;
  /** Where this server has a PMTiles file. */
  pmtiles: string | null;
}

export class BaseMap {
  readonly map: Map;
  palette: Palette = readPalette();
  #land: Land | null = null;
  #grid: Graticule | null = null;
  #tiles: BaseLayer | null = null;
  /** Called with the country that the map shows, or null: of the sea, and of more than one country's worth of map. */
  onPlace: (country: string | null) => void = () => {};
  #shown: Tiles = { url: null, pmtiles: null };
  #rethemeTiles: (palette: Palette) => void = () => {};
  #gone = false;
  /** A person has moved it: it is not fitted by itself any more. */
  protected touched = false;
  #scale = new ScaleLine({ className: "map-scale", minWidth: 80 });

  /** `inScrolling`: it lies in something that scrolls, which it leaves wheel and finger to until it has the focus. */
  constructor(target: HTMLElement, layers: readonly BaseLayer[], { inScrolling = false } = {}) {
    layers.forEach((layer, at) => layer.setZIndex(DEPTH.own + at));
    this.map = new Map({
      target,
      layers: [...layers],
      controls: [this.#scale],
      interactions: interactions({ altShiftDragRotate: false, pinchRotate: false, onFocusOnly: inScrolling }),
      view: new View({ center: [0, 0], zoom: 2, minZoom: 1, maxZoom: 20 }),
    });
    this.map.on("moveend", () => this.#tellPlace());
    // A mouse button means this map from its first press on: the focus would come too late for a drag.
    const focus = ({ pointerType }: PointerEvent) => pointerType === "mouse" && target.focus({ preventScroll: true });
    if (inScrolling) target.addEventListener("pointerdown", focus, { capture: true });
    // Without it the map is poorer, not broken: the server may be away, or hold a newer build.
    this.#bringLand().catch(() => {});
  }

  dispose(): void {
    this.#gone = true;
    this.map.setTarget(undefined);
    this.map.dispose();
  }

  /** Reads colours and units anew; what is drawn above follows in the maps that are made of this one. */
  retheme(): Palette {
    this.palette = readPalette();
    this.#scale.setUnits(unitSystem.peek() === "aviation" ? "nautical" : "metric");
    this.#land?.retheme(this.palette);
    this.#rethemeTiles(this.palette);
    if (this.#grid) this.map.removeLayer(this.#grid);
    this.#grid = graticule(this.palette);
    this.#add(this.#grid, DEPTH.grid);
    return this.palette;
  }

  /** What lies over the land: tiles of a server, or out of a file of ours. Tells what they want to be named as. */
  setTiles({ url, pmtiles }: Tiles, named: (attribution: string | null) => void): void {
    if (url === this.#shown.url && pmtiles === this.#shown.pmtiles) return;
    this.#shown = { url, pmtiles };
    if (this.#tiles) this.map.removeLayer(this.#tiles);
    this.#tiles = url ? tileLayer(url) : null;
    this.#rethemeTiles = () => {};
    if (this.#tiles) this.#add(this.#tiles, DEPTH.tiles);
    // Where the file cannot be read, the land that came with the page stays.
    if (pmtiles) this.#bringPmtiles(pmtiles, named).catch(() => {});
  }

  /** Whether it is laid out: nothing can be fitted into a map without a size. */
  get hasSize(): boolean {
    const [width = 0, height = 0] = this.map.getSize() ?? [];
    return width > 0 && height > 0;
  }

  resized(): void {
    this.map.updateSize();
  }

  zoomBy(delta: number): void {
    this.touched = true;
    const view = this.map.getView();
    view.animate({ zoom: (view.getZoom() ?? 2) + delta, duration: DURATION });
  }

  moveTo(center: [number, number], zoom?: number): void {
    this.map.getView().animate({ center, ...(zoom === undefined ? {} : { zoom }), duration: DURATION });
  }

  fit(extent: Extent, duration = DURATION, maxZoom = 16): void {
    this.map.updateSize();
    const [width = 0, height = 0] = this.map.getSize() ?? [];
    // Where there is little room, what is shown matters more than the margin.
    const padding = PADDING.map((side, at) => Math.min(side, (at % 2 ? width : height) / 5));
    this.map.getView().fit(extent, { padding, maxZoom, duration });
  }

  #tellPlace(): void {
    const view = this.map.getView();
    const near = (view.getResolution() ?? Infinity) < NEAR_ENOUGH;
    this.onPlace(near ? (this.#land?.countryAt(view.getCenter() ?? []) ?? null) : null);
  }

  #add(layer: BaseLayer, depth: number): void {
    layer.setZIndex(depth);
    this.map.addLayer(layer);
  }

  async #bringPmtiles(path: string, named: (attribution: string | null) => void): Promise<void> {
    const { pmtilesLayer } = await import("./pmtiles");
    const { layer, attribution, retheme } = await pmtilesLayer(path, this.palette);
    if (this.#gone || this.#shown.pmtiles !== path) return;
    this.#tiles = layer;
    this.#rethemeTiles = retheme;
    retheme(this.palette);
    this.#add(layer, DEPTH.tiles);
    named(attribution);
  }

  async #bringLand(): Promise<void> {
    const { Land } = await import("./land");
    if (this.#gone) return;
    this.#land = new Land(this.palette);
    this.#add(this.#land.layer, DEPTH.land);
    this.#tellPlace();
  }
}
