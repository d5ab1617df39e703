// The map of one flight: its track in the colours of its heights or speeds, and where the drone was at the moment shown.
import Feature from "ol/Feature";
import Overlay from "ol/Overlay";
import type { Coordinate } from "ol/coordinate";
import { boundingExtent } from "ol/extent";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import { Circle, Fill, Stroke, Style } from "ol/style";
import type { ZoneCollection } from "../api/shapes";
import { BANDS, pointNear, type Stretch, type TrackPoint } from "../domain/flight";
import { nearest, wrapped, type Place } from "../domain/world";
import { BaseMap } from "./base";
import { lineOf } from "./layers";
import { WORLD } from "./markers";
import type { Palette } from "./palette";
import { fillZones, zoneLayer, zoneStyle } from "./zoneLayer";

export interface FlightMapEvents {
  /** The moment of the place on the track that is pointed at, milliseconds since the epoch; null away from the track. */
  point(at: number | null): void;
  /** A place on the track was clicked. */
  choose(at: number): void;
}

// CSS pixels; a finger is less exact.
const REACH = 10;
const REACH_OF_A_FINGER = 24;
const CLOSEST = 19;

export class FlightMap extends BaseMap {
  #zones: ReturnType<typeof zoneLayer>;
  #track: VectorLayer<VectorSource>;
  /** Not a feature: an element that moves needs nothing drawn anew, however long the track is. */
  #here: Overlay;
  #points: readonly TrackPoint[] = [];
  #path: Coordinate[] = [];
  #shown = 0;
  /** The moment that the mouse points at: what is near a place depends on what is shown, so a click asks no second time. */
  #under: number | null = null;

  constructor(
    target: HTMLElement,
    private readonly events: FlightMapEvents,
  ) {
    const zones = zoneLayer();
    // Drawn anew when a move is over: until then what lies a little outside has to be there already.
    const track = new VectorLayer({ source: new VectorSource(), className: "flight-track", renderBuffer: 400 });
    super(target, [zones, track], { inScrolling: true });
    [this.#zones, this.#track] = [zones, track];
    const element = document.createElement("div");
    element.className = "flight-here";
    this.#here = new Overlay({ element, positioning: "center-center", stopEvent: false });
    this.map.addOverlay(this.#here);
    this.#listen(target);
    this.retheme();
  }

  setZones(zones: ZoneCollection): void {
    fillZones(this.#zones, zones);
  }

  /** `stretches` are of `points`. A track that is new is fitted, and fitted again until somebody has moved the map. */
  setTrack(points: readonly TrackPoint[], stretches: readonly Stretch[]): void {
    const source = this.#track.getSource();
    const places = points.map(({ longitude, latitude }): Place => [wrapped(longitude), latitude]);
    source?.clear();
    const [first] = places;
    if (!first) return;
    const line = (look: string, path: readonly Place[]) => new Feature({ geometry: lineOf(path), look });
    source?.addFeatures([
      line("casing", places),
      // What is made later is drawn later: where the track lies on itself, its last round is in sight.
      ...stretches.map(({ band, first: from, last }) => line(`band-${band}`, places.slice(from, last + 1))),
      new Feature({ geometry: new Point(fromLonLat(first)), look: "start" }),
    ]);
    if (points === this.#points) return;
    this.#points = points;
    this.#path = points.map(({ longitude, latitude }) => fromLonLat([longitude, latitude]));
    this.touched = false;
    this.#settle();
  }

  /** Where the drone is marked: an index of the points; -1 for nowhere. */
  show(index: number): void {
    this.#shown = index;
    this.#here.setPosition(this.#path[index]);
  }

  showAll(duration?: number): void {
    if (this.#path.length > 0) this.fit(boundingExtent(this.#path), duration, CLOSEST);
  }

  override resized(): void {
    super.resized();
    this.#settle();
  }

  override retheme(): Palette {
    const palette = super.retheme();
    this.#zones.setStyle(zoneStyle(palette));
    const looks = trackLooks(palette, bandColours(this.map.getTargetElement()));
    this.#track.setStyle((feature) => looks[String(feature.get("look"))]);
    return palette;
  }

  #settle(): void {
    if (!this.touched && this.hasSize) this.showAll(0);
  }

  #pointed(coordinate: Coordinate, pixels: number): number | null {
    const [x = 0, y = 0] = coordinate;
    const there: Coordinate = [nearest(x, this.#path[0]?.[0] ?? 0, WORLD), y];
    const reach = pixels * (this.map.getView().getResolution() ?? 1);
    const index = pointNear(this.#path, there, reach, this.#shown);
    return this.#points[index]?.at ?? null;
  }

  #listen(target: HTMLElement): void {
    const { map } = this;
    const viewport = map.getViewport() as HTMLElement;
    map.on("pointermove", (event) => {
      const { pointerType } = event.originalEvent as PointerEvent;
      // A finger that moves scrolls, or moves the map; it points by a tap.
      if (event.dragging || pointerType === "touch") return;
      this.#under = this.#pointed(event.coordinate, REACH);
      viewport.classList.toggle("over-track", this.#under !== null);
      this.events.point(this.#under);
    });
    map.on("click", (event) => {
      const { pointerType } = event.originalEvent as PointerEvent;
      const reach = pointerType === "touch" ? REACH_OF_A_FINGER : REACH;
      const at = pointerType === "mouse" ? this.#under : this.#pointed(event.coordinate, reach);
      if (at !== null) this.events.choose(at);
    });
    viewport.addEventListener("pointerleave", () => {
      this.#under = null;
      this.events.point(null);
    });
    // Without the focus, wheel and finger have only scrolled past.
    const touch = () => (this.touched ||= document.activeElement === target);
    map.on("pointerdrag", touch);
    viewport.addEventListener("wheel", touch, { passive: true });
    viewport.addEventListener("dblclick", touch);
    target.addEventListener("keydown", touch);
  }
}

/** The style sheet's colours, as the scale beside the map has them. */
function bandColours(target: HTMLElement | null | undefined): string[] {
  const probe = document.createElement("i");
  target?.append(probe);
  const colours = Array.from({ length: BANDS }, (_, band) => {
    probe.className = `band-${band}`;
    return getComputedStyle(probe).getPropertyValue("--tint").trim();
  });
  probe.remove();
  return colours;
}

function trackLooks(palette: Palette, bands: readonly string[]): Record<string, Style> {
  const line = (color: string, width: number, zIndex: number) =>
    new Style({ stroke: new Stroke({ color, width }), zIndex });
  return {
    casing: line(palette.halo, 6, 0),
    "band-null": line(palette.muted, 3, 1),
    ...Object.fromEntries(bands.map((colour, band) => [`band-${band}`, line(colour, 3, 1)])),
    start: new Style({
      image: new Circle({
        radius: 4,
        fill: new Fill({ color: palette.halo }),
        stroke: new Stroke({ color: palette.text, width: 2 }),
      }),
      zIndex: 2,
    }),
  };
}
