// Land, coasts and borders at 1:110 million, shipped with the page (Natural Earth, public domain): a fleet anywhere has a
// place without a network. Loaded after the first paint, and under everything, tiles too: where those fail, this is left.
import Feature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import type { Geometry } from "ol/geom";
import MultiLineString from "ol/geom/MultiLineString";
import type MultiPolygon from "ol/geom/MultiPolygon";
import Polygon from "ol/geom/Polygon";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import { Fill, Stroke, Style } from "ol/style";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-110m.json";
import { nearest, pieces, type Place } from "../domain/world";
import { WORLD } from "./markers";
import type { Palette } from "./palette";
import { shapes } from "./shapes";

// Its lines are true to some ten kilometres: nearer than this (metres a pixel) they are a hint, and drawn as one.
const TRUE_ABOVE = 1200;

/** The land's polygons in one piece each, and once more on the other side of ±180° where they reach beyond it. */
function areas(land: Feature<Geometry>[]): MultiPolygon[] {
  return land.flatMap(inPieces);
}

function inPieces(area: Feature<Geometry>): MultiPolygon[] {
  const geometry = area.getGeometry() as Polygon | MultiPolygon;
  const polygons = geometry instanceof Polygon ? [geometry.getCoordinates()] : geometry.getCoordinates();
  return shapes((polygons as Place[][][]).map((rings) => rings.map(overThePole)));
}

interface Country {
  name: string;
  pieces: MultiPolygon[];
}

function countries(): Country[] {
  const topology = atlas as unknown as Topology;
  const named = feature(topology, topology.objects["countries"] as GeometryCollection);
  return new GeoJSON()
    .readFeatures(named)
    .map((area) => ({ name: String(area.get("name") ?? ""), pieces: inPieces(area) }));
}

/** A ring without a jump. One that goes once round the world (Antarctica's) has the pole inside, and is closed along the edge. */
function overThePole(ring: Place[]): Place[] {
  const round = ring.slice(0, 1);
  for (const [longitude, latitude] of ring.slice(1)) {
    round.push([nearest(longitude, round.at(-1)?.[0] ?? longitude), latitude]);
  }
  const [first, last] = [round[0], round.at(-1)];
  if (!first || !last || Math.abs(last[0] - first[0]) < 359) return round;
  return [...round, [last[0], -90], [first[0], -90], first];
}

function features(): Feature<Geometry>[] {
  const topology = atlas as unknown as Topology;
  const countries = topology.objects["countries"] as GeometryCollection;
  const land = topology.objects["land"] as GeometryCollection;
  const lines = (kind: string, coordinates: number[][][]) => {
    const cut = coordinates.flatMap((line) => pieces(line as Place[]));
    return new Feature({ geometry: new MultiLineString(cut).transform("EPSG:4326", "EPSG:3857"), kind });
  };
  return [
    ...areas(new GeoJSON().readFeatures(feature(topology, land))).map(
      (geometry) => new Feature({ geometry, kind: "land" }),
    ),
    lines("border", mesh(topology, countries, (a, b) => a !== b).coordinates),
    lines("coast", mesh(topology, land).coordinates),
  ];
}

function style(palette: Palette): (part: { get(name: string): unknown }, resolution: number) => Style {
  const solid = {
    land: new Style({ fill: new Fill({ color: palette.land }) }),
    border: new Style({ stroke: new Stroke({ color: palette.border, width: 0.8, lineDash: [4, 3] }) }),
    coast: new Style({ stroke: new Stroke({ color: palette.coast, width: 1 }) }),
  };
  const faint = { ...solid, coast: new Style({ stroke: new Stroke({ color: palette.border, width: 1 }) }) };
  return (part, resolution) =>
    (resolution > TRUE_ABOVE ? solid : faint)[part.get("kind") as keyof typeof solid];
}

export class Land {
  readonly layer = new VectorLayer({
    className: "land",
    source: new VectorSource({ features: features() }),
    updateWhileAnimating: true,
    updateWhileInteracting: true,
  });

  #countries: Country[] | null = null;

  constructor(palette: Palette) {
    this.retheme(palette);
  }

  /** The country about a place of the map, to some ten kilometres; null at sea. */
  countryAt([x = 0, y = 0]: readonly number[]): string | null {
    this.#countries ??= countries();
    const place = [nearest(x, 0, WORLD), y];
    const found = this.#countries.find(({ pieces }) => pieces.some((piece) => piece.intersectsCoordinate(place)));
    return found?.name || null;
  }

  retheme(palette: Palette): void {
    this.layer.setStyle(style(palette));
  }
}
