// A flight as something to look at again: which moment is shown, where the drone was then, and the track to scale.
import type { Message } from "../api/shapes";
import { instant } from "./time";

export const SPEEDS = [1, 10, 60] as const;
/** The API hands out at most so many points at once; a longer flight is thinned out by the server. */
export const MOST_POINTS = 5000;

/** Seconds between two messages that keep a flight of `seconds` within `MOST_POINTS`; null for all of them. */
export function thinning(seconds: number, messages: number): number | null {
  return messages <= MOST_POINTS ? null : Math.max(1, Math.ceil(seconds / MOST_POINTS));
}

/** A point of the track: milliseconds since the epoch, degrees, metres or null. */
export interface TrackPoint {
  at: number;
  longitude: number;
  latitude: number;
  height: number | null;
}

/** The places of the messages in order; longitudes go on beyond ±180° where the flight does. */
export function trackPoints(messages: readonly Message[]): TrackPoint[] {
  const points: TrackPoint[] = [];
  for (const { time, position } of messages) {
    const at = instant(time);
    const { latitude, longitude, height, altitude } = position ?? {};
    if (at === null || typeof latitude !== "number" || typeof longitude !== "number") continue;
    const last = points.at(-1)?.longitude ?? longitude;
    const turns = Math.round((last - longitude) / 360);
    points.push({ at, latitude, longitude: longitude + turns * 360, height: height ?? altitude ?? null });
  }
  return points;
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

/** The track in a box of `width` by `height` with a margin, north up, to scale. */
export function toScale(
  points: readonly TrackPoint[],
  width: number,
  height: number,
  margin: number,
): [number, number][] {
  if (points.length === 0) return [];
  const latitudes = points.map((point) => point.latitude);
  const middle = ((Math.min(...latitudes) + Math.max(...latitudes)) / 2) * (Math.PI / 180);
  const flat = points.map((point) => [point.longitude * Math.cos(middle), point.latitude] as const);
  const [west, east] = extent(flat.map(([x]) => x));
  const [south, north] = extent(flat.map(([, y]) => y));
  const scale = Math.min(
    (width - 2 * margin) / Math.max(east - west, 1e-9),
    (height - 2 * margin) / Math.max(north - south, 1e-9),
  );
  const left = (width - (east - west) * scale) / 2;
  const top = (height - (north - south) * scale) / 2;
  return flat.map(([x, y]) => [left + (x - west) * scale, top + (north - y) * scale]);
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
