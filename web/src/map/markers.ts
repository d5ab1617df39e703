// The drones as the map knows them: where each is on its way to, and what it looks like.
import { fromLonLat } from "ol/proj";
import type { AlertCode, Connectivity } from "../api/shapes";
import { worst } from "../domain/alert";
import type { Row } from "../domain/fleet";
import { glide, progress, standing, xAt, yAt, type Track } from "../domain/motion";
import { arc, nearest } from "../domain/world";

/** Map units round the equator. */
export const WORLD = 2 * 20037508.342789244;

export interface Marker {
  id: string;
  connectivity: Connectivity;
  /** The worst of its alerts. */
  alert: AlertCode | null;
  longitude: number;
  latitude: number;
  track: Track;
  /** As drawn last, CSS pixels. */
  px: number;
  py: number;
  /** Where its name stands: an index of `spots`. Kept while there is room, so that names do not jump about. */
  spot: number;
}

const RANK: Record<Connectivity, number> = { offline: 0, stale: 1, online: 2 };
const rank = (marker: Marker) => RANK[marker.connectivity] + (marker.alert ? 3 : 0);

export class Markers {
  #byId = new Map<string, Marker>();
  /** What matters most is last, and so drawn over the rest. */
  order: readonly Marker[] = [];

  /** Takes over the fleet; what moved glides for `length` milliseconds (0: jumps). */
  set(rows: readonly Row[], length: number, now: number): void {
    const before = this.#byId;
    this.#byId = new Map();
    for (const { drone, connectivity } of rows) {
      const { latitude, longitude } = drone.position ?? {};
      if (typeof latitude !== "number" || typeof longitude !== "number") continue;
      const old = before.get(drone.id);
      const [projected = 0, y = 0] = fromLonLat([longitude, latitude]);
      // Across ±180° a drone goes on, it does not fly back round the world.
      const x = old ? nearest(projected, old.track.toX, WORLD) : projected;
      const heading = drone.heading === null ? null : (drone.heading * Math.PI) / 180;
      let track = old?.track ?? standing(x, y, heading);
      if (track.toX !== x || track.toY !== y || track.toHeading !== heading) {
        track = glide(track, x, y, heading, now, length);
      }
      this.#byId.set(drone.id, {
        id: drone.id,
        connectivity,
        alert: worst(drone.alerts.map(({ code }) => code)),
        longitude,
        latitude,
        track,
        px: old?.px ?? Number.NaN,
        py: old?.py ?? Number.NaN,
        spot: old?.spot ?? 0,
      });
    }
    this.order = [...this.#byId.values()].sort((a, b) => rank(a) - rank(b));
  }

  get(id: string): Marker | undefined {
    return this.#byId.get(id);
  }

  /** Where a drone is drawn now, in map units, in the world about `nearX`. */
  placeOf(id: string, nearX: number): [number, number] | null {
    const track = this.#byId.get(id)?.track;
    if (!track) return null;
    const part = progress(track, performance.now());
    return [nearest(xAt(track, part), nearX, WORLD), yAt(track, part)];
  }

  bounds(): [number, number, number, number] | null {
    return boundsOf(this.order);
  }
}

/** West, south, east, north, in map units, the short way round the world; null when there are none. */
export function boundsOf(markers: readonly Marker[]): [number, number, number, number] | null {
  const reach = arc(markers.map((marker) => marker.longitude));
  if (!reach) return null;
  let [south, north] = [Infinity, -Infinity];
  for (const { track } of markers) {
    south = Math.min(south, track.toY);
    north = Math.max(north, track.toY);
  }
  const [west, east] = reach.map((longitude) => (longitude / 360) * WORLD) as [number, number];
  return [west, south, east, north];
}
