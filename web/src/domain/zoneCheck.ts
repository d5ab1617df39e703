// What is wrong with zones, while they are drawn: the server's rules, each with the place it is broken at.
import { unrolled, type Place } from "./world";
import { KINDS, metres, type Ring, type Zone } from "./zones";

export type Field = "id" | "name" | "kind" | "floor" | "ceiling" | "shape";

export interface Fault {
  /** The zone's; null where it is the whole document. */
  key: string | null;
  field: Field;
  /** Numbered on through the polygons' rings; null for no single ring. */
  ring: number | null;
  /** Where on the map. */
  at: Place | null;
  /** The corner that it is about, in its ring. */
  corner: number | null;
  detail: string;
}

type ShapeFault = Omit<Fault, "key" | "field">;

// Each further crossing follows from the first ones more often than not.
const MOST_CROSSINGS = 5;
// Beyond so many corners only the server looks for crossings: a pair of edges at a time takes too long here.
const MOST_CORNERS = 1500;

export function check(zones: readonly Zone[]): Fault[] {
  const faults: Fault[] = [];
  const first = new Map<string, Zone>();
  for (const zone of zones) {
    const say = (field: Field, detail: string) =>
      faults.push({ key: zone.key, field, ring: null, at: null, corner: null, detail });
    if (!zone.id.trim()) say("id", "An id is needed.");
    else if (first.has(zone.id)) say("id", `The id ${zone.id} is there twice.`);
    else first.set(zone.id, zone);
    if (!(KINDS as readonly string[]).includes(zone.kind)) say("kind", "The kind must be no-fly or geofence.");
    const [floor, ceiling] = [metres(zone.floor), metres(zone.ceiling)];
    if (floor !== null && !Number.isFinite(floor)) say("floor", "The floor must be a number of metres, or empty.");
    if (ceiling !== null && !Number.isFinite(ceiling)) {
      say("ceiling", "The ceiling must be a number of metres, or empty.");
    }
    if (floor !== null && ceiling !== null && floor > ceiling) {
      say("floor", `The floor, ${floor} m, is above the ceiling, ${ceiling} m.`);
    }
    faults.push(...checkShape(zone.polygons).map((fault) => ({ ...fault, key: zone.key, field: "shape" as const })));
  }
  return faults;
}

export function checkShape(polygons: Zone["polygons"]): ShapeFault[] {
  const faults: ShapeFault[] = [];
  let number = 0;
  for (const rings of polygons) {
    const outside = rings[0];
    for (const [at, ring] of rings.entries()) {
      const found = checkRing(ring);
      faults.push(...found.map((fault) => ({ ...fault, ring: number })));
      if (at > 0 && outside && found.length === 0) {
        faults.push(...checkHole(ring, outside).map((fault) => ({ ...fault, ring: number })));
      }
      number += 1;
    }
  }
  return faults;
}

function checkRing(ring: Ring): ShapeFault[] {
  const faults: ShapeFault[] = [];
  const say = (detail: string, at: Place | null, corner: number | null) =>
    faults.push({ ring: null, at, corner, detail });
  ring.forEach(([longitude, latitude], corner) => {
    if (!Number.isFinite(longitude) || !Number.isFinite(latitude)) {
      say(`Corner ${corner + 1} needs two numbers.`, null, corner);
    } else if (Math.abs(longitude) > 180 || Math.abs(latitude) > 90) {
      say(`Corner ${corner + 1} is outside of ±180°, ±90°.`, [longitude, latitude], corner);
    }
  });
  if (ring.length < 3) say(`${ring.length} of at least three corners.`, ring.at(-1) ?? null, null);
  if (faults.length > 0 || ring.length > MOST_CORNERS) return faults;
  const { path, corners } = flat(ring);
  for (const { at, corner, detail } of crossings(path, corners)) say(detail, at, corner);
  return faults;
}

/** Its corners side by side on a plane, each place once, with the first one again at the end; and which corners they are. */
function flat(ring: Ring): { path: Place[]; corners: number[] } {
  const [first] = ring;
  if (!first) return { path: [], corners: [] };
  const same = (a: Place, b: Place) => a[0] === b[0] && a[1] === b[1];
  const corners = ring.flatMap((place, at) => (same(place, ring[at - 1] ?? (at ? place : [NaN, NaN])) ? [] : [at]));
  while (corners.length > 1 && same(ring[corners.at(-1) as number] as Place, first)) corners.pop();
  return { path: unrolled([...corners.map((at) => ring[at] as Place), first]), corners: [...corners, 0] };
}

interface Crossing {
  at: Place;
  corner: number;
  detail: string;
}

function crossings(path: readonly Place[], corners: readonly number[]): Crossing[] {
  const found: Crossing[] = [];
  const edges = path.length - 1;
  for (let one = 0; one < edges; one += 1) {
    for (let other = one + 1; other < edges && found.length < MOST_CROSSINGS; other += 1) {
      const [a, b, c, d] = [path[one], path[one + 1], path[other], path[other + 1]] as [Place, Place, Place, Place];
      const follows = other === one + 1;
      const leads = one === 0 && other === edges - 1;
      if (follows || leads) {
        // Neighbours share a corner; they may not lie on each other.
        const [before, corner, after] = follows ? [a, b, d] : [c, a, b];
        if (foldsBack(before, corner, after)) {
          const at = corners[follows ? other : 0] ?? 0;
          found.push({ at: corner, corner: at, detail: `The border folds back on itself at corner ${at + 1}.` });
        }
        continue;
      }
      const at = meeting(a, b, c, d);
      if (at) {
        const name = (edge: number) => `${(corners[edge] ?? 0) + 1}–${(corners[edge + 1] ?? 0) + 1}`;
        const detail = `The border crosses itself: edges ${name(one)} and ${name(other)}.`;
        found.push({ at, corner: corners[one] ?? 0, detail });
      }
    }
  }
  return found;
}

const cross = (o: Place, a: Place, b: Place) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);

function foldsBack(before: Place, corner: Place, after: Place): boolean {
  if (before[0] === corner[0] && before[1] === corner[1]) return false;
  if (after[0] === corner[0] && after[1] === corner[1]) return false;
  const ahead =
    (corner[0] - before[0]) * (after[0] - corner[0]) + (corner[1] - before[1]) * (after[1] - corner[1]);
  return cross(before, corner, after) === 0 && ahead < 0;
}

/** Where two edges meet, if they do; touching counts. */
function meeting(a: Place, b: Place, c: Place, d: Place): Place | null {
  if (Math.max(a[0], b[0]) < Math.min(c[0], d[0]) || Math.max(c[0], d[0]) < Math.min(a[0], b[0])) return null;
  if (Math.max(a[1], b[1]) < Math.min(c[1], d[1]) || Math.max(c[1], d[1]) < Math.min(a[1], b[1])) return null;
  const [fromC, fromD] = [cross(a, b, c), cross(a, b, d)];
  const [fromA, fromB] = [cross(c, d, a), cross(c, d, b)];
  if (fromC * fromD > 0 || fromA * fromB > 0) return null;
  if (fromC === fromD) {
    // On one line, and their boxes overlap.
    return [a, b].find((point) => within(point, c, d)) ?? c;
  }
  const part = fromC / (fromC - fromD);
  return [c[0] + (d[0] - c[0]) * part, c[1] + (d[1] - c[1]) * part];
}

const within = (point: Place, c: Place, d: Place) =>
  Math.min(c[0], d[0]) <= point[0] &&
  point[0] <= Math.max(c[0], d[0]) &&
  Math.min(c[1], d[1]) <= point[1] &&
  point[1] <= Math.max(c[1], d[1]);

function checkHole(hole: Ring, outside: Ring): ShapeFault[] {
  const [inner, outer] = [flat(hole).path, flat(outside).path];
  for (let one = 0; one < inner.length - 1; one += 1) {
    for (let other = 0; other < outer.length - 1; other += 1) {
      const edges = [inner[one], inner[one + 1], outer[other], outer[other + 1]] as [Place, Place, Place, Place];
      const [a, b, c, d] = edges;
      // A hole may touch the border in a point.
      if (cross(a, b, c) * cross(a, b, d) >= 0 || cross(c, d, a) * cross(c, d, b) >= 0) continue;
      return [{ ring: null, at: meeting(a, b, c, d), corner: one, detail: "The hole crosses the outer border." }];
    }
  }
  const [start] = inner;
  if (!start || isInside(start, outer) || outer.some((corner) => corner[0] === start[0] && corner[1] === start[1])) {
    return [];
  }
  return [{ ring: null, at: start, corner: 0, detail: "The hole lies outside of the zone." }];
}

function isInside([x, y]: Place, path: readonly Place[]): boolean {
  let inside = false;
  for (let at = 1; at < path.length; at += 1) {
    const [[ax, ay], [bx, by]] = [path[at - 1], path[at]] as [Place, Place];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** One error of the server as it names it: indices into the document that was sent. */
export interface ZoneError {
  feature: number | null;
  id: string | null;
  ring: number | null;
  detail: string;
}

const FIELD = /^(?:properties\.(id|name|kind|floor|ceiling)|geometry[.\w]*): (.*)$/s;
const PLACE = /\[(-?[\d.]+(?:e-?\d+)?),? (-?[\d.]+(?:e-?\d+)?)\]/i;

/** The server's errors about the zones that were sent, as faults of those zones. */
export function faultsOf(errors: readonly unknown[], sent: readonly Zone[]): Fault[] {
  return errors.flatMap((error) => {
    if (typeof error !== "object" || error === null) return [];
    const { feature, ring, detail } = error as Partial<ZoneError>;
    if (typeof detail !== "string") return [];
    const [, field, text = detail] = FIELD.exec(detail) ?? [];
    const place = PLACE.exec(text);
    return [
      {
        key: typeof feature === "number" ? (sent[feature]?.key ?? null) : null,
        field: (field as Field | undefined) ?? "shape",
        ring: typeof ring === "number" ? ring : null,
        at: place ? ([Number(place[1]), Number(place[2])] as Place) : null,
        corner: null,
        detail: `${text.charAt(0).toUpperCase()}${text.slice(1)}.`,
      },
    ];
  });
}
