// The map on which zones are drawn and changed. What is wrong shows at its place while it is being drawn.
import Collection from "ol/Collection";
import Feature from "ol/Feature";
import type { Coordinate } from "ol/coordinate";
import { createEmpty, extend, isEmpty } from "ol/extent";
import { MultiPolygon, Point, type Polygon } from "ol/geom";
import Draw from "ol/interaction/Draw";
import Modify from "ol/interaction/Modify";
import Snap from "ol/interaction/Snap";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat, toLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import { unByKey } from "ol/Observable";
import type { EventsKey } from "ol/events";
import type { Row } from "../domain/fleet";
import type { Place } from "../domain/world";
import { checkShape } from "../domain/zoneCheck";
import { metres, type Ring, type Zone } from "../domain/zones";
import { BaseMap } from "./base";
import { DroneLayer } from "./droneLayer";
import { asOne } from "./shapes";
import { chosenStyle, faultStyle, sketchStyle } from "./zoneEditStyle";
import { zoneStyle } from "./zoneLayer";

export interface ZoneMapEvents {
  choose(key: string | null): void;
  reshape(key: string, polygons: Zone["polygons"]): void;
  drawn(ring: Ring): void;
  /** What is wrong with what is being drawn or dragged just now; null when nothing is being. */
  live(faults: string[] | null): void;
  drawing(on: boolean): void;
}

const REACH = 6;

export class ZoneMap extends BaseMap {
  #drones: DroneLayer;
  #source: VectorSource<Feature<MultiPolygon>>;
  #layer: VectorLayer<VectorSource<Feature<MultiPolygon>>>;
  #faults: VectorLayer<VectorSource<Feature<Point>>>;
  #chosen = new Collection<Feature<MultiPolygon>>();
  #corner: Place | null = null;
  #draw: Draw | null = null;
  #snap: Snap;
  #fitted = false;
  #standing: Place[] = [];

  constructor(
    target: HTMLElement,
    private readonly events: ZoneMapEvents,
  ) {
    const drones = new DroneLayer();
    const source = new VectorSource<Feature<MultiPolygon>>();
    const layer = new VectorLayer({ source, updateWhileAnimating: true, updateWhileInteracting: true });
    const faults = new VectorLayer({ source: new VectorSource<Feature<Point>>(), updateWhileInteracting: true });
    super(target, [drones, layer, faults]);
    [this.#drones, this.#source, this.#layer, this.#faults] = [drones, source, layer, faults];
    this.#snap = new Snap({ source, pixelTolerance: 8 });
    this.#modify();
    this.map.addInteraction(this.#snap);
    this.map.on("click", (event) => {
      if (this.#draw) return;
      const under = this.map.getFeaturesAtPixel(event.pixel, {
        layerFilter: (one) => one === layer,
        hitTolerance: REACH,
      }) as Feature<MultiPolygon>[];
      // The smallest one: it would never be reached under a larger one.
      const area = (feature: Feature<MultiPolygon>) => feature.getGeometry()?.getArea() ?? 0;
      const [best] = under.sort((a, b) => area(a) - area(b));
      this.events.choose(best ? String(best.getId()) : null);
    });
    this.retheme();
  }

  setRows(rows: readonly Row[]): void {
    this.#drones.setRows(rows, 0);
  }

  setZones(zones: readonly Zone[], chosen: string | null): void {
    const keys = new Set(zones.map(({ key }) => key));
    for (const feature of this.#source.getFeatures()) {
      if (!keys.has(String(feature.getId()))) this.#source.removeFeature(feature);
    }
    for (const zone of zones) this.#set(zone);
    const feature = chosen === null ? null : (this.#source.getFeatureById(chosen) as Feature<MultiPolygon> | null);
    if (this.#chosen.item(0) !== feature) {
      this.#chosen.clear();
      if (feature) this.#chosen.push(feature);
    }
    this.#layer.changed();
    if (!this.#fitted && zones.length > 0) this.#fitted = this.showAll(0);
  }

  /** The places where something is wrong with what stands. */
  setFaults(places: readonly Place[]): void {
    this.#standing = [...places];
    if (!this.#draw) this.#mark(places);
  }

  /** The corner that the page points at. */
  setCorner(place: Place | null): void {
    this.#corner = place;
    this.#layer.changed();
  }

  override retheme() {
    const palette = super.retheme();
    this.#drones.setPalette(palette);
    const plain = zoneStyle(palette);
    const chosen = chosenStyle(palette, () => this.#corner);
    this.#layer.setStyle((feature, resolution) => [
      ...plain(feature, resolution),
      ...(this.#chosen.getArray().includes(feature as Feature<MultiPolygon>) ? chosen : []),
    ]);
    this.#faults.setStyle(faultStyle(palette));
    return palette;
  }

  override resized(): void {
    super.resized();
    if (!this.#fitted && this.#source.getFeatures().length > 0) this.#fitted = this.showAll(0);
  }

  showAll(duration?: number): boolean {
    const extent = createEmpty();
    for (const feature of this.#source.getFeatures()) extend(extent, feature.getGeometry()?.getExtent() ?? extent);
    if (isEmpty(extent) || !this.hasSize) return false;
    this.fit(extent, duration);
    return true;
  }

  show(key: string): void {
    const extent = this.#source.getFeatureById(key)?.getGeometry()?.getExtent();
    if (extent && !isEmpty(extent)) this.fit(extent, undefined, 17);
  }

  /** A square about the middle of what is in sight: a start for who draws with the keyboard. */
  square(): Ring {
    const view = this.map.getView();
    const [x = 0, y = 0] = view.getCenter() ?? [];
    const half = (view.getResolution() ?? 1) * 60;
    const corners: Coordinate[] = [
      [x - half, y - half],
      [x + half, y - half],
      [x + half, y + half],
      [x - half, y + half],
    ];
    return corners.map(rounded);
  }

  startDrawing(): void {
    if (this.#draw) return;
    const draw = new Draw({ type: "Polygon", style: sketchStyle(this.palette), stopClick: true });
    this.#draw = draw;
    draw.on("drawstart", ({ feature }) => {
      feature.getGeometry()?.on("change", (event) => {
        // The last position but one is the pointer's: it counts as the corner that it would be.
        const [ring = []] = (event.target as Polygon).getCoordinates();
        this.#live([[ring.slice(0, -1).map(toPlace)]]);
      });
    });
    draw.on("drawend", ({ feature }) => {
      const [ring = []] = (feature.getGeometry() as Polygon).getCoordinates();
      this.stopDrawing();
      this.events.drawn(ring.slice(0, -1).map(rounded));
    });
    this.map.addInteraction(draw);
    // The last one added is asked first.
    this.map.removeInteraction(this.#snap);
    this.map.addInteraction(this.#snap);
    this.events.drawing(true);
    this.map.getTargetElement()?.focus({ preventScroll: true });
  }

  stopDrawing(): void {
    if (!this.#draw) return;
    this.map.removeInteraction(this.#draw);
    this.#draw = null;
    this.#live(null);
    this.events.drawing(false);
  }

  /** Takes the last corner back while one is drawing. */
  backStep(): void {
    this.#draw?.removeLastPoint();
  }

  finishDrawing(): void {
    this.#draw?.finishDrawing();
  }

  #set(zone: Zone): void {
    let feature = this.#source.getFeatureById(zone.key) as Feature<MultiPolygon> | null;
    if (!feature) {
      feature = new Feature();
      feature.setId(zone.key);
      feature.setGeometry(geometryOf(zone.polygons));
      this.#source.addFeature(feature);
    } else if (feature.get("polygons") !== zone.polygons) {
      feature.setGeometry(geometryOf(zone.polygons));
    }
    const [floor, ceiling] = [metres(zone.floor), metres(zone.ceiling)];
    const { name, id, kind, polygons } = zone;
    feature.setProperties({ name: name || id, id, kind, floor, ceiling, polygons }, true);
  }

  #modify(): void {
    const modify = new Modify({ features: this.#chosen as Collection<Feature>, pixelTolerance: 12 });
    let watching: EventsKey | null = null;
    modify.on("modifystart", () => {
      const geometry = this.#chosen.item(0)?.getGeometry();
      if (geometry) watching = geometry.on("change", () => this.#live(polygonsOf(geometry)));
    });
    modify.on("modifyend", () => {
      if (watching) unByKey(watching);
      const feature = this.#chosen.item(0);
      const geometry = feature?.getGeometry();
      this.#live(null);
      if (feature && geometry) this.events.reshape(String(feature.getId()), polygonsOf(geometry));
    });
    this.map.addInteraction(modify);
  }

  #live(polygons: Zone["polygons"] | null): void {
    if (!polygons) {
      this.#mark(this.#standing);
      return this.events.live(null);
    }
    const faults = checkShape(polygons);
    this.#mark(faults.flatMap(({ at, detail }) => (at && !detail.includes("at least three") ? [at] : [])));
    this.events.live(faults.map(({ detail }) => detail));
  }

  #mark(places: readonly Place[]): void {
    const source = this.#faults.getSource();
    source?.clear();
    source?.addFeatures(places.map((place) => new Feature(new Point(fromLonLat(place)))));
  }
}

const toPlace = (coordinate: Coordinate): Place => {
  const [longitude = 0, latitude = 0] = toLonLat(coordinate);
  return [longitude, latitude];
};

/** As exact as a pointer can be: about a centimetre. */
const rounded = (coordinate: Coordinate): Place => {
  const [longitude, latitude] = toPlace(coordinate);
  return [Number(longitude.toFixed(7)), Number(latitude.toFixed(7))];
};

function polygonsOf(geometry: MultiPolygon): Place[][][] {
  return geometry.getCoordinates().map((rings) => rings.map((ring) => ring.slice(0, -1).map(rounded)));
}

function geometryOf(polygons: Zone["polygons"]): MultiPolygon {
  const closed = polygons.map((rings) =>
    rings.map((ring) => (ring[0] ? [...ring, ring[0]] : []).filter((place) => place.every(Number.isFinite))),
  );
  return new MultiPolygon(closed.map(asOne)).transform("EPSG:4326", "EPSG:3857") as MultiPolygon;
}
