// A flight as something to look at again: which moment is shown, where the drone was then, and what the track looks like.
import type { Message } from "../api/shapes";
import { instant } from "./time";

export const SPEEDS = [1, 10, 60] as const;
/** The API hands out at most so many points at once; a longer flight is thinned out by the server. */
export const MOST_POINTS = 5000;

/** Seconds between two messages that keep a flight of `seconds` within `MOST_POINTS`; null for all of them. */
export function thinning(seconds: number, messages: number): number | null {
  return messages <= MOST_POINTS ? null : Math.max(1, Math.ceil(seconds / MOST_POINTS));
}

/** A point of the track: milliseconds since the epoch, degrees, metres, m/s. What a message leaves unsaid is as the one
 * before it said; null before the first. */
export interface TrackPoint {
  at: number;
  longitude: number;
  latitude: number;
  height: number | null;
  speed: number | null;
}

/** The places of the messages in order; longitudes go on beyond ±180° where the flight does. */
export function trackPoints(messages: readonly Message[], up: "height" | "altitude" = "height"): TrackPoint[] {
  const points: TrackPoint[] = [];
  let height: number | null = null;
  let speed: number | null = null;
  for (const { time, position, groundSpeed } of messages) {
    const at = instant(time);
    height = position?.[up] ?? height;
    speed = groundSpeed ?? speed;
    const { latitude, longitude } = position ?? {};
    if (at === null || typeof latitude !== "number" || typeof longitude !== "number") continue;
    const last = points.at(-1)?.longitude ?? longitude;
    const turns = Math.round((last - longitude) / 360);
    points.push({ at, latitude, longitude: longitude + turns * 360, height, speed });
  }
  return points;
}

export const TINTS = ["height", "speed"] as const;
/** What the track is coloured by. */
export type Tint = (typeof TINTS)[number];
export const BANDS = 8;

/** A stretch of the track in one colour: the first and the last of its points, and its band from 0; null where nothing is
 * known. */
export interface Stretch {
  first: number;
  last: number;
  band: number | null;
}

/** The track in stretches, each beginning where the one before it ends, and the lowest and highest value. */
export function tinted(
  points: readonly TrackPoint[],
  tint: Tint,
): { stretches: Stretch[]; low: number | null; high: number | null } {
  const values = points.map((point) => point[tint]);
  const known = values.filter((value) => value !== null);
  const [low, high] = known.length ? extent(known) : [null, null];
  const bandOf = (value: number | null | undefined) =>
    value == null || low === null
      ? null
      : Math.min(BANDS - 1, Math.floor(((value - low) / Math.max(high - low, 1e-9)) * BANDS));
  const stretches: Stretch[] = [];
  for (let at = 1; at < points.length; at += 1) {
    const band = bandOf(values[at]);
    const before = stretches.at(-1);
    if (before && before.band === band) before.last = at;
    else stretches.push({ first: at - 1, last: at, band });
  }
  return { stretches, low, high };
}

/** The moment that a link names, if it is one of the flight; its end otherwise. Milliseconds since the epoch. */
export function momentOf(text: string | undefined, from: number, to: number): number {
  const named = text ? instant(text) : null;
  return named !== null && named >= from && named <= to ? named : to;
}

/** Index of the last point at or before `at`; 0 before the first one, -1 without points. */
export function pointAt(points: readonly TrackPoint[], at: number): number {
  let low = 0;
  let high = points.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((points[middle]?.at ?? Infinity) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Index of the point of `path` that is meant where (x, y) is pointed at, within `reach` of the line; -1 when nothing is.
 * Where the path lies on itself, what is nearest to the point `shown` is meant: who follows a line stays in its lap.
 */
export function pointNear(
  path: readonly (readonly number[])[],
  [x = 0, y = 0]: readonly number[],
  reach: number,
  shown: number,
): number {
  const distances = path.map(([toX = 0, toY = 0], at) => {
    const [fromX = toX, fromY = toY] = path[at - 1] ?? [];
    const [along, up] = [toX - fromX, toY - fromY];
    const length = along * along + up * up;
    const part = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - fromX) * along + (y - fromY) * up) / length));
    return Math.hypot(fromX + part * along - x, fromY + part * up - y);
  });
  const [least] = extent(distances);
  if (least > reach) return -1;
  const apart = (index: number) => Math.hypot((path[index]?.[0] ?? 0) - x, (path[index]?.[1] ?? 0) - y);
  let best = -1;
  distances.forEach((distance, at) => {
    if (distance > least + reach / 5) return;
    if (best < 0 || Math.abs(at - shown) < Math.abs(best - shown)) best = at;
  });
  return best > 0 && apart(best - 1) < apart(best) ? best - 1 : best;
}

function extent(values: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
