// The map of the fleet as one object: the page tells it what to show, it tells the page what was chosen.
import { buffer, containsExtent, createEmpty, extend, getCenter, getHeight, getWidth, isEmpty } from "ol/extent";
import { toLonLat } from "ol/proj";
import type { ZoneCollection } from "../api/shapes";
import type { Row } from "../domain/fleet";
import { nearest, type Place } from "../domain/world";
import { BaseMap } from "./base";
import { DroneLayer } from "./droneLayer";
import type { Group } from "./groups";
import { fillTrack, trackLayer, trackStyle } from "./layers";
import { boundsOf, WORLD, type Marker } from "./markers";
import { fillZones, zoneLayer, zoneStyle } from "./zoneLayer";

/** What is under the pointer: a drone by its id, or several drawn as one. */
export type Pointed = { drone: string } | { group: Group };

export interface MapEvents {
  select(id: string | null): void;
  /** What is under the pointer and where (CSS pixels in the map), or null. */
  hover(pointed: Pointed | null, x: number, y: number): void;
  /** Longitude and latitude under the pointer, or null when it leaves. */
  point(place: Place | null): void;
  inView(count: number): void;
  followStopped(): void;
}

const MARGIN = 60;
const CLOSE = 15;
// A drone that an address names is shown from near enough to see where it is.
const FROM_FAR = 8;
const NEAR = 13;
// The page's layout settles after the first answer: panels open, fonts arrive. Until then the fit is made again.
const SETTLE_MS = 1500;

const isGroup = (found: Marker | Group | null): found is Group => found !== null && "members" in found;

export class FleetMap extends BaseMap {
  #drones: DroneLayer;
  #zones: ReturnType<typeof zoneLayer>;
  #track: ReturnType<typeof trackLayer>;
  /** When the fleet was first fitted; null before. */
  #fittedAt: number | null = null;
  #zonesKnown = false;
  #broughtAt = 0;
  #selected: string | null = null;
  #hovered: Marker | Group | null = null;
  #follow = false;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    target: HTMLElement,
    private readonly events: MapEvents,
  ) {
    const [zones, track] = [zoneLayer(), trackLayer()];
    const drones = new DroneLayer();
    super(target, [zones, track, drones]);
    [this.#zones, this.#track, this.#drones] = [zones, track, drones];
    drones.onDrawn = (count) => this.#drawn(count);
    this.#listen();
    this.retheme();
  }

  setRows(rows: readonly Row[], cadence: number): void {
    this.#drones.setRows(rows, this.#still.matches ? 0 : cadence * 1.05);
    this.#settle();
  }

  setZones(zones: ZoneCollection): void {
    fillZones(this.#zones, zones);
    // However late they come: until a person has moved the map, it shows them too.
    if (zones.features.length > 0 && !this.#zonesKnown) {
      this.#zonesKnown = true;
      if (!this.touched) this.#fittedAt = null;
    }
    this.#settle();
  }

  setTrack(points: Place[]): void {
    fillTrack(this.#track, points);
  }

  /** Shows a drone as chosen; brings it into view when it is out of it, or once it is known. */
  select(id: string | null): void {
    this.#selected = id;
    this.#broughtAt = performance.now();
    this.#highlight();
    this.#bring();
  }

  centre(id: string): void {
    this.touched = true;
    const place = this.#placeOf(id);
    if (place) this.moveTo(place, Math.max(this.map.getView().getZoom() ?? 0, CLOSE));
  }

  follow(on: boolean): void {
    this.#follow = on;
    if (on) this.#keepUp();
  }

  override resized(): void {
    super.resized();
    this.#settle();
    if (performance.now() - this.#broughtAt < SETTLE_MS) this.#bring();
  }

  /** The whole fleet with the zones about it, or the zones alone while no drone has a position. */
  showAll(duration?: number): void {
    const zones = this.#zones.getSource();
    const fleet = this.#drones.markers.bounds();
    const extent = createEmpty();
    if (fleet) {
      extend(extent, fleet);
      const [middle = 0] = getCenter(fleet);
      const about = buffer(fleet, Math.max(500, 2 * getWidth(fleet), 2 * getHeight(fleet)));
      for (const zone of zones?.getFeatures() ?? []) {
        const [west = 0, south = 0, east = 0, north = 0] = zone.getGeometry()?.getExtent() ?? [];
        const turn = nearest((west + east) / 2, middle, WORLD) - (west + east) / 2;
        const reach = [west + turn, south, east + turn, north];
        if (zone.getGeometry() && containsExtent(about, reach)) extend(extent, reach);
      }
    } else if (zones) {
      extend(extent, zones.getExtent() ?? createEmpty());
    }
    if (!isEmpty(extent)) this.fit(extent, duration);
  }

  override retheme() {
    const palette = super.retheme();
    this.#drones.setPalette(palette);
    this.#zones.setStyle(zoneStyle(palette));
    this.#track.setStyle(trackStyle(palette));
    return palette;
  }

  /** Fits what is known, as soon as the map has a size, and again while the page is still being laid out. */
  #settle(): void {
    const now = performance.now();
    const done = this.#fittedAt !== null && (this.touched || now - this.#fittedAt > SETTLE_MS);
    if (done || !this.hasSize) return;
    if (this.#drones.markers.order.length > 0) this.#fittedAt ??= now;
    this.showAll(0);
    const place = this.#selected === null ? null : this.#placeOf(this.#selected);
    const view = this.map.getView();
    if (place && (view.getZoom() ?? 0) < FROM_FAR) {
      view.setCenter(place);
      view.setZoom(NEAR);
    } else {
      this.#bring();
    }
  }

  #bring(): void {
    const place = this.#selected === null ? null : this.#placeOf(this.#selected);
    if (!place || !this.hasSize) return;
    const [width = 0, height = 0] = this.map.getSize() ?? [];
    const [left = 0, bottom = 0, right = 0, top = 0] = this.map.getView().calculateExtent([
      Math.max(1, width - 2 * MARGIN),
      Math.max(1, height - 2 * MARGIN),
    ]);
    const [x, y] = place;
    if (x < left || x > right || y < bottom || y > top) this.moveTo(place);
  }

  #placeOf(id: string): [number, number] | null {
    return this.#drones.markers.placeOf(id, this.map.getView().getCenter()?.[0] ?? 0);
  }

  #highlight(): void {
    const under = this.#hovered;
    this.#drones.highlight(this.#selected, under && !isGroup(under) ? under.id : null);
  }

  #drawn(count: number): void {
    this.events.inView(count);
    if (this.#follow) this.#keepUp();
  }

  #keepUp(): void {
    const place = this.#selected === null ? null : this.#placeOf(this.#selected);
    const view = this.map.getView();
    const [x = 0, y = 0] = view.getCenter() ?? [];
    if (!place || view.getAnimating()) return;
    const step = (view.getResolution() ?? 1) / 2;
    if (Math.hypot(place[0] - x, place[1] - y) > step) view.setCenter(place);
  }

  #listen(): void {
    const { map } = this;
    const viewport = map.getViewport() as HTMLElement;
    map.on("click", (event) => {
      const found = this.#drones.at(event.pixel);
      if (isGroup(found)) this.#open(found);
      else this.events.select(found?.id ?? null);
    });
    map.on("pointermove", (event) => {
      if (event.dragging) return;
      const found = this.#drones.at(event.pixel);
      const [x = 0, y = 0] = event.pixel;
      this.#hovered = found;
      this.#highlight();
      viewport.classList.toggle("over-drone", found !== null);
      this.events.hover(found && (isGroup(found) ? { group: found } : { drone: found.id }), x, y);
      const [longitude = 0, latitude = 0] = toLonLat(event.coordinate);
      this.events.point([longitude, latitude]);
    });
    map.on("pointerdrag", () => {
      this.touched = true;
      if (!this.#follow) return;
      this.#follow = false;
      this.events.followStopped();
    });
    viewport.addEventListener("wheel", () => (this.touched = true), { passive: true });
    this.map.getTargetElement()?.addEventListener("keydown", () => (this.touched = true));
    viewport.addEventListener("pointerleave", () => {
      this.#hovered = null;
      this.#highlight();
      this.events.hover(null, 0, 0);
      this.events.point(null);
    });
  }

  /** Goes near enough that the group falls apart. */
  #open(group: Group): void {
    this.touched = true;
    const bounds = boundsOf(group.members);
    const zoom = this.map.getView().getZoom() ?? 0;
    if (!bounds) return;
    const [west, south, east, north] = bounds;
    const middle: [number, number] = [(west + east) / 2, (south + north) / 2];
    middle[0] = nearest(middle[0], this.map.getView().getCenter()?.[0] ?? 0, WORLD);
    if (east - west < 1 && north - south < 1) return this.moveTo(middle, Math.max(zoom + 2, 17));
    const turn = middle[0] - (west + east) / 2;
    this.fit([west + turn, south, east + turn, north], undefined, 19);
  }
}
