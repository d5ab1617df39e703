// Alerts: what their kinds look like, on the map, in lists and elsewhere alike, and what one says of itself.
import type { Alert, AlertCode } from "../api/shapes";
import { instant } from "./time";

export interface Kind {
  code: AlertCode;
  /** A stroke on a grid of 16 by 16. */
  path: string;
}

/** Worst first: where there is room for one, it is the first of these. */
export const KINDS: readonly Kind[] = [
  { code: "no_fly_zone", path: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.8 3.8l8.4 8.4" },
  { code: "outside_geofence", path: "M8.5 2.5h-6v11h6M6.5 8h8M11.5 5l3 3-3 3" },
  { code: "altitude_limit", path: "M3 2.5h10M8 14V5.5M4.5 9 8 5.5 11.5 9" },
  { code: "low_battery", path: "M1.5 5h11v6h-11zM14.5 7v2M4 7.5v1" },
  { code: "sensor_unhealthy", path: "M1.5 8h3l1.5-4 3 8 1.5-4h1M13.5 4v5M13.5 11.5v.5" },
  { code: "telemetry_delayed", path: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 4.8V8l2.6 1.8" },
];

const RANKS = new Map(KINDS.map(({ code }, rank) => [code, rank]));
const PATHS = new Map(KINDS.map(({ code, path }) => [code, path]));

/** What an alert of a kind that this page does not know looks like. */
const OTHER = "M8 2 15 14H1zM8 6.3v3.6M8 11.6v.9";

export const pathOf = (code: AlertCode): string => PATHS.get(code) ?? OTHER;

/** The worst of some; null of none. */
export function worst(codes: readonly AlertCode[]): AlertCode | null {
  const rank = (code: AlertCode) => RANKS.get(code) ?? KINDS.length;
  return codes.reduce<AlertCode | null>(
    (found, code) => (found === null || rank(code) < rank(found) ? code : found),
    null,
  );
}

/** Seconds it lasted, or has lasted at `now`. */
export function lasted(alert: Pick<Alert, "raisedAt" | "clearedAt">, now: number): number {
  const from = instant(alert.raisedAt) ?? now;
  return Math.max(0, ((instant(alert.clearedAt) ?? now) - from) / 1000);
}

export interface Step {
  what: "raised" | "escalated" | "acknowledged" | "cleared";
  at: string;
}

/** What became of it, in the order in which it did. */
export function course({ raisedAt, escalatedAt, acknowledgedAt, clearedAt }: Alert): Step[] {
  const steps: { what: Step["what"]; at: string | null }[] = [
    { what: "raised", at: raisedAt },
    { what: "escalated", at: escalatedAt },
    { what: "acknowledged", at: acknowledgedAt },
    { what: "cleared", at: clearedAt },
  ];
  return steps
    .filter((step): step is Step => step.at !== null)
    .sort((a, b) => (instant(a.at) ?? 0) - (instant(b.at) ?? 0));
}

/** Tells alerts that are new from those that were there before the page was opened, or that it has told of. */
export class News {
  #known: Set<string> | null = null;

  fresh(alerts: readonly Alert[]): Alert[] {
    const known = this.#known;
    this.#known = new Set([...(known ?? []), ...alerts.map(({ id }) => id)]);
    return known === null ? [] : alerts.filter(({ id }) => !known.has(id));
  }
}
