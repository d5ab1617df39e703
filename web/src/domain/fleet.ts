// The fleet as last heard of, and the questions an operator asks of it.
import type { Connectivity, Drone } from "../api/shapes";
import { CONNECTIVITIES } from "./connectivity";
import { sortable } from "./time";

// Drones' states become visible in another order than their messages arrived (partitions, retries), so that each
// question reaches back a little behind the newest time seen.
const OVERLAP_MS = 15_000;

const natural = new Intl.Collator("en", { numeric: true });

/** Drones by id. `apply` merges an answer in; `changedSince` is what to ask next. */
export class Fleet {
  readonly drones = new Map<string, Drone>();
  #newest = "";
  #ranks = new Map<string, number>();

  /** Returns the drones that are new or differ from what was known. An answer older than what is known is passed over. */
  apply(items: readonly Drone[]): Drone[] {
    const changed: Drone[] = [];
    for (const drone of items) {
      const before = this.drones.get(drone.id);
      const seen = seenAt(drone);
      if (before && seenAt(before) > seen) continue;
      if (seen > this.#newest) this.#newest = seen;
      this.drones.set(drone.id, drone);
      if (!before || before.lastSeen !== drone.lastSeen || !sameAlerts(before, drone)) {
        changed.push(drone);
      }
    }
    return changed;
  }

  /** After a full answer: forgets drones that are no longer in it. Returns whether any was forgotten. */
  keepOnly(ids: ReadonlySet<string>): boolean {
    let forgotten = false;
    for (const id of this.drones.keys()) {
      if (!ids.has(id)) forgotten = this.drones.delete(id) || forgotten;
    }
    if (forgotten) this.#ranks.clear();
    return forgotten;
  }

  /** Every drone as a row; ids are put in order only when there are new ones, not at every answer. */
  rows(connectivity: (drone: Drone) => Connectivity): Row[] {
    if (this.#ranks.size !== this.drones.size) {
      const ids = [...this.drones.keys()].sort(natural.compare);
      this.#ranks = new Map(ids.map((id, rank) => [id, rank]));
    }
    return Array.from(this.drones.values(), (drone) => ({
      drone,
      connectivity: connectivity(drone),
      rank: this.#ranks.get(drone.id) ?? 0,
    }));
  }

  /** Time for `changedSince`; null while nothing is known, which asks for everything. */
  changedSince(): string | null {
    const at = Date.parse(this.#newest);
    return Number.isNaN(at) ? null : new Date(at - OVERLAP_MS).toISOString();
  }
}

const seenAt = (drone: Drone) => (drone.lastSeen ? sortable(drone.lastSeen) : "");

function sameAlerts(a: Drone, b: Drone): boolean {
  return (
    a.alerts.length === b.alerts.length &&
    a.alerts.every((alert, at) => alert.code === b.alerts[at]?.code)
  );
}

export const SORT_KEYS = ["id", "alerts", "battery", "lastSeen", "altitude", "speed"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface Filter {
  text: string;
  connectivity: Connectivity | "";
  /** An alert's code, `any`, or empty for all drones. */
  alert: string;
  mode: string;
  /** A zone's id, `none`, or empty. */
  zone: string;
  sort: SortKey;
}

export const NO_FILTER: Filter = {
  text: "",
  connectivity: "",
  alert: "",
  mode: "",
  zone: "",
  sort: "id",
};

/** The filter that an address says; what it does not say, or says wrongly, is not filtered by. */
export function filterOf(query: Readonly<Record<string, string>>): Filter {
  const { text = "", alert = "", mode = "", zone = "", connectivity, sort } = query;
  return {
    text,
    connectivity: CONNECTIVITIES.find((state) => state === connectivity) ?? "",
    alert,
    mode,
    zone,
    sort: SORT_KEYS.find((key) => key === sort) ?? NO_FILTER.sort,
  };
}

/** A filter as an address says it: `id` is the order that needs no word. */
export const queryOf = (filter: Filter): Record<string, string> => ({
  ...filter,
  sort: filter.sort === NO_FILTER.sort ? "" : filter.sort,
});

/** A drone with what the page works out for it. */
export interface Row {
  drone: Drone;
  connectivity: Connectivity;
  /** Its place among all ids, in reading order (drone-9 before drone-10). */
  rank: number;
}

export function matches({ drone, connectivity }: Row, filter: Filter): boolean {
  if (filter.connectivity && connectivity !== filter.connectivity) return false;
  if (filter.alert === "any" && drone.alerts.length === 0) return false;
  if (filter.alert && filter.alert !== "any") {
    if (!drone.alerts.some((alert) => alert.code === filter.alert)) return false;
  }
  if (filter.mode && drone.flightMode !== filter.mode) return false;
  const zones = drone.derived?.zones ?? [];
  if (filter.zone === "none" ? zones.length > 0 : filter.zone && !zones.includes(filter.zone)) {
    return false;
  }
  const wanted = filter.text.trim().toLowerCase();
  if (!wanted) return true;
  const { name, model, owner } = drone.registration ?? {};
  return [drone.id, name, model, owner].some((text) => text?.toLowerCase().includes(wanted));
}

// What is unknown goes last whatever the order.
const least = (value: number | null | undefined) => value ?? Number.POSITIVE_INFINITY;
const most = (value: number | null | undefined) => -(value ?? Number.NEGATIVE_INFINITY);

const ORDERS: Record<SortKey, (a: Row, b: Row) => number> = {
  id: () => 0,
  alerts: (a, b) => b.drone.alerts.length - a.drone.alerts.length,
  battery: (a, b) => difference(least(a.drone.battery), least(b.drone.battery)),
  lastSeen: (a, b) => compareText(seenAt(a.drone), seenAt(b.drone)),
  altitude: (a, b) =>
    difference(most(a.drone.position?.altitude), most(b.drone.position?.altitude)),
  speed: (a, b) => difference(most(a.drone.groundSpeed), most(b.drone.groundSpeed)),
};

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function difference(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

export function select(rows: readonly Row[], filter: Filter): Row[] {
  const order = ORDERS[filter.sort];
  return rows
    .filter((row) => matches(row, filter))
    .sort((a, b) => order(a, b) || a.rank - b.rank);
}

/** The distinct values a filter can offer, in reading order. */
export function choices(rows: readonly Row[]): { modes: string[]; alerts: string[]; zones: string[] } {
  const modes = new Set<string>();
  const alerts = new Set<string>();
  const zones = new Set<string>();
  for (const { drone } of rows) {
    if (drone.flightMode) modes.add(drone.flightMode);
    for (const alert of drone.alerts) alerts.add(alert.code);
    for (const zone of drone.derived?.zones ?? []) zones.add(zone);
  }
  const sorted = (values: Set<string>) => [...values].sort(natural.compare);
  return { modes: sorted(modes), alerts: sorted(alerts), zones: sorted(zones) };
}
