// Zones as a person edits them: rings without their closing position, heights as typed, and the way from and to GeoJSON.
import type { ZoneCollection } from "../api/shapes";
import { wrapped, type Place } from "./world";

export const KINDS = ["no_fly", "geofence"] as const;
export type Kind = (typeof KINDS)[number];

/** Corners in order; the first one is not repeated at the end. */
export type Ring = readonly Place[];

export interface Zone {
  /** Names the zone as long as it is edited, whatever becomes of its id. */
  key: string;
  id: string;
  name: string;
  kind: string;
  /** Metres as typed; empty for none. */
  floor: string;
  ceiling: string;
  /** Each an outer ring and its holes. */
  polygons: readonly (readonly Ring[])[];
  /** The feature that it was read from: what is not edited here is sent back as it came. */
  source: Feature | null;
}

type Feature = ZoneCollection["features"][number];

const number = (value: unknown) => (typeof value === "number" ? String(value) : "");

export function readZones(document: ZoneCollection): Zone[] {
  return document.features.map((feature) => {
    const { id, name, kind, floor, ceiling } = feature.properties;
    return {
      key: id,
      id,
      name: name ?? id,
      kind: kind ?? "",
      floor: number(floor),
      ceiling: number(ceiling),
      polygons: polygonsOf(feature),
      source: feature,
    };
  });
}

function polygonsOf({ geometry }: Feature): Ring[][] {
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  return (polygons as Place[][][]).map((rings) =>
    rings.map((ring) => ring.slice(0, -1).map(([longitude, latitude]): Place => [longitude, latitude])),
  );
}

export function writeZones(zones: readonly Zone[]): ZoneCollection {
  return { type: "FeatureCollection", features: zones.map(featureOf) };
}

function featureOf(zone: Zone): Feature {
  const { source, polygons } = zone;
  const coordinates = polygons.map((rings) => rings.map(closed));
  // Heights in the positions, say, are not shown here, and yet not ours to drop.
  const drawn = source && sameShape(polygonsOf(source), polygons) ? source.geometry : null;
  const [only] = coordinates;
  const geometry =
    drawn ??
    (coordinates.length === 1 && only
      ? { type: "Polygon", coordinates: only }
      : { type: "MultiPolygon", coordinates });
  return {
    type: "Feature",
    geometry,
    properties: {
      ...source?.properties,
      id: zone.id,
      name: zone.name || zone.id,
      kind: zone.kind,
      floor: metres(zone.floor),
      ceiling: metres(zone.ceiling),
    },
  } as Feature;
}

function closed(ring: Ring): Place[] {
  const places = ring.map(([longitude, latitude]): Place => [round(wrapped(longitude)), round(latitude)]);
  const [first] = places;
  return first ? [...places, first] : places;
}

// A centimetre: what a pointer adds beyond that is noise.
const round = (degrees: number) => Math.round(degrees * 1e7) / 1e7;

/** The height that was typed: null for none, NaN for what is no number. */
export function metres(text: string): number | null {
  const typed = text.trim().replace(",", ".");
  return typed === "" ? null : Number(typed);
}

export function sameShape(a: Zone["polygons"], b: Zone["polygons"]): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

const content = (zone: Zone) => JSON.stringify(featureOf(zone));

export interface Differences {
  added: string[];
  changed: string[];
  removed: string[];
}

/** What has become of `before`, by the zones' ids. */
export function differences(before: readonly Zone[], after: readonly Zone[]): Differences {
  const [old, young] = [byId(before), byId(after)];
  return {
    added: [...young.keys()].filter((id) => !old.has(id)),
    changed: [...young].filter(([id, zone]) => old.has(id) && content(old.get(id) as Zone) !== content(zone)).map(([id]) => id),
    removed: [...old.keys()].filter((id) => !young.has(id)),
  };
}

/** What somebody else made of `base`, with my changes on top; where both changed the same zone it is mine. */
export function merged(base: readonly Zone[], theirs: readonly Zone[], mine: readonly Zone[]): Zone[] {
  const change = differences(base, mine);
  const my = byId(mine);
  const kept = theirs
    .filter(({ id }) => !change.removed.includes(id))
    .map((zone) => (change.changed.includes(zone.id) || change.added.includes(zone.id) ? (my.get(zone.id) ?? zone) : zone));
  const there = byId(kept);
  // What they took out and I changed is still wanted by one of us.
  const again = [...change.changed, ...change.added].filter((id) => !there.has(id));
  return [...kept, ...again.flatMap((id) => my.get(id) ?? [])];
}

const byId = (zones: readonly Zone[]) => new Map(zones.map((zone) => [zone.id, zone]));

/** `zone-1`, or the first number that is free. */
export function freeId(zones: readonly Zone[]): string {
  const taken = new Set(zones.flatMap(({ id, key }) => [id, key]));
  let number = 1;
  while (taken.has(`zone-${number}`)) number += 1;
  return `zone-${number}`;
}
