// Values as an operator reads them. A value nobody knows is a dash, never a zero.
import type { Units } from "./units";

export const UNKNOWN = "–";

const known = (value: number | null | undefined): value is number =>
  typeof value === "number" && Number.isFinite(value);

export const integer = (value: number | null | undefined): string =>
  known(value) ? Math.round(value).toLocaleString("en-US") : UNKNOWN;

export const percent = (fraction: number | null | undefined): string =>
  known(fraction) ? `${Math.round(fraction * 100)} %` : UNKNOWN;

/** A height or altitude given in metres. */
export const height = (metres: number | null | undefined, { height: unit }: Units): string => {
  if (!known(metres)) return UNKNOWN;
  const value = metres * unit.factor;
  return `${value.toFixed(unit.factor === 1 && Math.abs(value) < 100 ? 1 : 0)} ${unit.name}`;
};

/** A distance over ground given in metres. */
export const distance = (metres: number | null | undefined, { near, far }: Units): string => {
  if (!known(metres)) return UNKNOWN;
  return metres * far.factor < 1
    ? `${integer(metres * near.factor)} ${near.name}`
    : `${(metres * far.factor).toFixed(2)} ${far.name}`;
};

/** A speed given in metres per second. */
export const speed = (metresPerSecond: number | null | undefined, { speed: unit }: Units): string =>
  known(metresPerSecond) ? `${(metresPerSecond * unit.factor).toFixed(1)} ${unit.name}` : UNKNOWN;

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

export const heading = (value: number | null | undefined): string =>
  known(value)
    ? `${Math.round(value) % 360}° ${POINTS[Math.round(value / 45) % 8] ?? ""}`
    : UNKNOWN;

/** Signed degrees with hemisphere, 5 decimals (about one metre). */
export function coordinates(
  latitude: number | null | undefined,
  longitude: number | null | undefined,
): string {
  if (!known(latitude) || !known(longitude)) return UNKNOWN;
  const part = (value: number, plus: string, minus: string) =>
    `${Math.abs(value).toFixed(5)}° ${value < 0 ? minus : plus}`;
  return `${part(latitude, "N", "S")}, ${part(longitude, "E", "W")}`;
}

export const rate = (perSecond: number | null): string => {
  if (perSecond === null) return UNKNOWN;
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString("en-US");
};

const WORDS: Record<string, string> = {
  low_battery: "Low battery",
  sensor_unhealthy: "Sensor unhealthy",
  no_fly_zone: "In no-fly zone",
  outside_geofence: "Outside geofence",
  altitude_limit: "Above altitude limit",
  inflight: "In flight",
  no_fly: "No-fly",
  no_gps_fix: "No GPS fix",
};

/** A code such as `battery_out_of_range` as words. */
export function words(code: string | null | undefined): string {
  if (!code) return UNKNOWN;
  const fixed = WORDS[code];
  if (fixed) return fixed;
  const text = code.replaceAll("_", " ").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return sentence.replace(/\bjson\b/i, "JSON");
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${integer(count)} ${count === 1 ? one : many}`;
