// Times and measures as this person reads them: the one place where the page looks up their zone and their units.
import { computed } from "@preact/signals";
import * as format from "../domain/format";
import * as time from "../domain/time";
import { UNIT_SYSTEMS, UNITS, type Unit } from "../domain/units";
import { now } from "./clock";
import { preference } from "./preference";

export const zone = preference("zone", time.ZONES);
export const unitSystem = preference("units", UNIT_SYSTEMS);
const units = computed(() => UNITS[unitSystem.value]);

type Measure = number | null | undefined;
type Time = string | null | undefined;

/** Of a height or altitude in metres. */
export const height = (metres: Measure): string => format.height(metres, units.value);
/** Of a distance over ground in metres. */
export const distance = (metres: Measure): string => format.distance(metres, units.value);
/** Of a speed in metres per second. */
export const speed = (metresPerSecond: Measure): string => format.speed(metresPerSecond, units.value);

export const heightUnit = computed<Unit>(() => units.value.height);
export const speedUnit = computed<Unit>(() => units.value.speed);

/** "HH:MM:SS" and the zone, with the day in front when it is not today. */
export const clock = (at: Time): string => {
  const milliseconds = time.instant(at);
  if (milliseconds === null) return time.clock(at, now.value, zone.value);
  return `${time.clock(at, now.value, zone.value)} ${time.zoneName(milliseconds, zone.value)}`;
};
/** Day, time and zone in full. */
export const moment = (at: Time): string => time.moment(at, zone.value);
/** A mark on an axis of time, seconds since the epoch. */
export const mark = (seconds: number, step: number): string => time.mark(seconds, step, zone.value);
/** The name of the zone as of now: for a column's or field's label. */
export const zoneLabel = computed(() => time.zoneName(now.value, zone.value));

export const switchZone = (): void => zone.choose(zone.value === "utc" ? "local" : "utc");
