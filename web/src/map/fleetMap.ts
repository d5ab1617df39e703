// The map as one object: the page tells it what to show, it tells the page what was chosen.
import Map from "ol/Map";
import View from "ol/View";
import ScaleLine from "ol/control/ScaleLine";
import {
  buffer,
  containsExtent,
  createEmpty,
  extend,
  getHeight,
  getWidth,
  isEmpty,
} from "ol/extent";
import { defaults as interactions } from "ol/interaction/defaults";
import type Graticule from "ol/layer/Graticule";
import type TileLayer from "ol/layer/Tile";
import { toLonLat } from "ol/proj";
import type XYZ from "ol/source/XYZ";
import type { ZoneCollection } from "../api/shapes";
import type { Row } from "../domain/fleet";
import { DroneLayer } from "./droneLayer";
import {
  fillTrack,
  fillZones,
  graticule,
  tileLayer,
  trackLayer,
  trackStyle,
  zoneLayer,
  zoneStyle,
} from "./layers";
import { readPalette } from "./palette";

export interface MapEvents {
  select(id: string | null): void;
  /** The drone under the pointer and where (CSS pixels in the map), or null. */
  hover(id: string | null, x: number, y: number): void;
  /** Longitude and latitude under the pointer, or null when it leaves. */
  point(place: [number, number] | null): void;
  inView(count: number): void;
  followStopped(): void;
}

const DURATION = 250;

export class FleetMap {
  #palette = readPalette();
  #drones = new DroneLayer(this.#palette);
  #zones = zoneLayer();
  #track = trackLayer();
  #grid: Graticule | null = null;
  #tiles: TileLayer<XYZ> | null = null;
  #map: Map;
  #fitted = false;
  #selected: string | null = null;
  #hovered: string | null = null;
  #follow = false;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    target: HTMLElement,
    private readonly events: MapEvents,
  ) {
    this.#map = new Map({
      target,
      layers: [this.#zones, this.#track, this.#drones],
      controls: [new ScaleLine({ className: "map-scale", minWidth: 80 })],
      interactions: interactions({ altShiftDragRotate: false, pinchRotate: false }),
      view: new View({ center: [0, 0], zoom: 2, minZoom: 1, maxZoom: 20 }),
    });
    [this.#zones, this.#track, this.#drones].forEach((layer, at) => layer.setZIndex(at + 2));
    this.#drones.onDrawn = (count) => this.#drawn(count);
    this.#listen();
    this.retheme();
  }

  dispose(): void {
    this.#map.setTarget(undefined);
    this.#map.dispose();
  }

  setRows(rows: readonly Row[], cadence: number): void {
    this.#drones.setRows(rows, this.#still.matches ? 0 : cadence * 1.05);
    if (!this.#fitted && this.#drones.bounds()) {
      this.#fitted = true;
      this.fit(0);
    }
  }

  setZones(zones: ZoneCollection): void {
    fillZones(this.#zones, zones);
    if (!this.#fitted) this.fit(0);
  }

  setTrack(points: [number, number][]): void {
    fillTrack(this.#track, points);
  }

  setTiles(url: string | null, attribution: string | null): void {
    if (this.#tiles) this.#map.removeLayer(this.#tiles);
    this.#tiles = url ? tileLayer(url, attribution) : null;
    if (this.#tiles) {
      this.#tiles.setZIndex(0);
      this.#map.addLayer(this.#tiles);
    }
  }

  /** Shows a drone as chosen; brings it into view when it is out of it. */
  select(id: string | null): void {
    this.#selected = id;
    this.#drones.highlight(id, this.#hovered);
    const place = id === null ? null : this.#drones.placeOf(id);
    if (!place) return;
    const view = this.#map.getView();
    const [width = 0, height = 0] = this.#map.getSize() ?? [];
    const [x = -1, y = -1] = this.#map.getPixelFromCoordinate(place) ?? [];
    const margin = 60;
    const visible = x > margin && y > margin && x < width - margin && y < height - margin;
    if (!visible) view.animate({ center: place, duration: DURATION });
  }

  centre(id: string): void {
    const place = this.#drones.placeOf(id);
    if (!place) return;
    const zoom = Math.max(this.#map.getView().getZoom() ?? 0, 15);
    this.#map.getView().animate({ center: place, zoom, duration: DURATION });
  }

  follow(on: boolean): void {
    this.#follow = on;
    if (on) this.#keepUp();
  }

  zoomBy(delta: number): void {
    const view = this.#map.getView();
    view.animate({ zoom: (view.getZoom() ?? 2) + delta, duration: DURATION });
  }

  /** The whole fleet with the zones about it, or the zones alone while no drone has a position. */
  fit(duration = DURATION): void {
    const zones = this.#zones.getSource();
    const fleet = this.#drones.bounds();
    const extent = createEmpty();
    if (fleet) {
      extend(extent, fleet);
      const about = buffer(fleet, Math.max(500, 2 * getWidth(fleet), 2 * getHeight(fleet)));
      for (const zone of zones?.getFeatures() ?? []) {
        const reach = zone.getGeometry()?.getExtent();
        if (reach && containsExtent(about, reach)) extend(extent, reach);
      }
    } else if (zones) {
      extend(extent, zones.getExtent() ?? createEmpty());
    }
    if (isEmpty(extent)) return;
    this.#map.updateSize();
    this.#map.getView().fit(extent, { padding: [48, 64, 64, 64], maxZoom: 16, duration });
  }

  retheme(): void {
    this.#palette = readPalette();
    this.#drones.setPalette(this.#palette);
    this.#zones.setStyle(zoneStyle(this.#palette));
    this.#track.setStyle(trackStyle(this.#palette));
    if (this.#grid) this.#map.removeLayer(this.#grid);
    this.#grid = graticule(this.#palette);
    this.#grid.setZIndex(1);
    this.#map.addLayer(this.#grid);
  }

  resized(): void {
    this.#map.updateSize();
  }

  #drawn(count: number): void {
    this.events.inView(count);
    if (this.#follow) this.#keepUp();
  }

  #keepUp(): void {
    const place = this.#selected === null ? null : this.#drones.placeOf(this.#selected);
    const view = this.#map.getView();
    const [x = 0, y = 0] = view.getCenter() ?? [];
    if (!place || view.getAnimating()) return;
    const step = (view.getResolution() ?? 1) / 2;
    if (Math.hypot(place[0] - x, place[1] - y) > step) view.setCenter(place);
  }

  #listen(): void {
    const map = this.#map;
    map.on("click", (event) => {
      this.events.select(this.#drones.at(event.pixel));
    });
    map.on("pointermove", (event) => {
      if (event.dragging) return;
      const id = this.#drones.at(event.pixel);
      const [x = 0, y = 0] = event.pixel;
      if (id !== this.#hovered) {
        this.#hovered = id;
        this.#drones.highlight(this.#selected, id);
        map.getViewport()?.classList.toggle("over-drone", id !== null);
      }
      this.events.hover(id, x, y);
      const [longitude = 0, latitude = 0] = toLonLat(event.coordinate);
      this.events.point([longitude, latitude]);
    });
    map.on("pointerdrag", () => {
      if (!this.#follow) return;
      this.#follow = false;
      this.events.followStopped();
    });
    map.getViewport()?.addEventListener("pointerleave", () => {
      this.#hovered = null;
      this.#drones.highlight(this.#selected, null);
      this.events.hover(null, 0, 0);
      this.events.point(null);
    });
  }
}
