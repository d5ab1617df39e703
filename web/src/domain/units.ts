// The units a person reads in. What is stored and sent is always metres and metres per second.

/** What is shown is the value in metres, or metres per second, times `factor`. */
export interface Unit {
  name: string;
  factor: number;
}

const METRE: Unit = { name: "m", factor: 1 };
const KILOMETRE: Unit = { name: "km", factor: 1 / 1000 };
const FOOT: Unit = { name: "ft", factor: 1 / 0.3048 };
const NAUTICAL_MILE: Unit = { name: "NM", factor: 1 / 1852 };

export interface Units {
  label: string;
  height: Unit;
  speed: Unit;
  /** Distances below and from 1 of `far`. */
  near: Unit;
  far: Unit;
}

export const UNIT_SYSTEMS = ["metric", "kmh", "aviation"] as const;
export type UnitSystem = (typeof UNIT_SYSTEMS)[number];

export const UNITS: Record<UnitSystem, Units> = {
  metric: {
    label: "Metric: m, m/s",
    height: METRE,
    speed: { name: "m/s", factor: 1 },
    near: METRE,
    far: KILOMETRE,
  },
  kmh: {
    label: "Metric: m, km/h",
    height: METRE,
    speed: { name: "km/h", factor: 3.6 },
    near: METRE,
    far: KILOMETRE,
  },
  aviation: {
    label: "Aviation: ft, kn, NM",
    height: FOOT,
    speed: { name: "kn", factor: 3600 / 1852 },
    near: FOOT,
    far: NAUTICAL_MILE,
  },
};
