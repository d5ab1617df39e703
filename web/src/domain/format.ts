// Values as an operator reads them. A value nobody knows is a dash, never a zero.

export const UNKNOWN = "–";

const known = (value: number | null | undefined): value is number =>
  typeof value === "number" && Number.isFinite(value);

export const integer = (value: number | null | undefined): string =>
  known(value) ? Math.round(value).toLocaleString("en-US") : UNKNOWN;

export const percent = (fraction: number | null | undefined): string =>
  known(fraction) ? `${Math.round(fraction * 100)} %` : UNKNOWN;

export const metres = (value: number | null | undefined): string =>
  known(value) ? `${value.toFixed(Math.abs(value) < 100 ? 1 : 0)} m` : UNKNOWN;

export const distance = (value: number | null | undefined): string => {
  if (!known(value)) return UNKNOWN;
  return value < 1000 ? `${Math.round(value)} m` : `${(value / 1000).toFixed(2)} km`;
};

export const speed = (value: number | null | undefined): string =>
  known(value) ? `${value.toFixed(1)} m/s` : UNKNOWN;

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
