// What the registry says of a drone, as a person edits it: texts, and the way from and to the entry that the API takes.
import type { Registration } from "../api/shapes";

export const FIELDS = ["name", "model", "owner", "latitude", "longitude", "altitude", "altitudeReference"] as const;
export type Field = (typeof FIELDS)[number];
export type Form = Record<Field, string>;
export type Entry = Registration & Record<string, unknown>;

export const LABELS: Record<Field, string> = {
  name: "Name",
  model: "Model",
  owner: "Owner",
  latitude: "Home latitude (°)",
  longitude: "Home longitude (°)",
  altitude: "Home altitude (m)",
  altitudeReference: "Altitude above",
};

const text = (value: unknown) => (typeof value === "string" || typeof value === "number" ? String(value) : "");

export function readForm(entry: Entry | null): Form {
  const home = (entry?.home ?? {}) as Record<string, unknown>;
  return {
    name: text(entry?.name),
    model: text(entry?.model),
    owner: text(entry?.owner),
    latitude: text(home["latitude"]),
    longitude: text(home["longitude"]),
    altitude: text(home["altitude"]),
    altitudeReference: text(home["altitudeReference"]) || "msl",
  };
}

/** The entry with what the form says; what else its author says of the drone stays. */
export function writeEntry(id: string, form: Form, before: Entry | null): Entry {
  const named = (field: Field) => form[field].trim() || null;
  const { altitude, altitudeReference, ...rest } = (before?.home ?? {}) as Record<string, unknown>;
  void altitude;
  void altitudeReference;
  const isHome = form.latitude.trim() !== "" || form.longitude.trim() !== "";
  const high = number(form.altitude);
  const home = isHome
    ? {
        ...rest,
        latitude: number(form.latitude),
        longitude: number(form.longitude),
        ...(high === null ? {} : { altitude: high, altitudeReference: form.altitudeReference }),
      }
    : null;
  return { ...before, id, name: named("name"), model: named("model"), owner: named("owner"), home } as Entry;
}

const number = (typed: string) => (typed.trim() === "" ? null : Number(typed.trim().replace(",", ".")));

export type Wrong = Partial<Record<Field, string>>;

/** What is wrong with the form, by field: the server's rules. */
export function check(form: Form): Wrong {
  const wrong: Wrong = {};
  const [latitude, longitude, altitude] = [number(form.latitude), number(form.longitude), number(form.altitude)];
  const degrees = (field: "latitude" | "longitude", value: number | null, most: number) => {
    if (value === null) wrong[field] = "A home needs both, or neither.";
    else if (!(Math.abs(value) <= most)) wrong[field] = `A number from -${most} to ${most}.`;
  };
  if (latitude !== null || longitude !== null) {
    degrees("latitude", latitude, 90);
    degrees("longitude", longitude, 180);
  } else if (altitude !== null) {
    wrong.altitude = "An altitude needs a home's latitude and longitude.";
  }
  if (altitude !== null && !Number.isFinite(altitude)) wrong.altitude = "A number of metres, or empty.";
  return wrong;
}

/** The server's errors, `{field: "home.latitude", detail}`, by the form's fields; others are left out. */
export function wrongOf(errors: readonly unknown[]): Wrong {
  const wrong: Wrong = {};
  for (const error of errors) {
    const { field, detail } = (error ?? {}) as { field?: unknown; detail?: unknown };
    const name = typeof field === "string" ? field.replace(/^home\./, "") : "";
    if ((FIELDS as readonly string[]).includes(name)) wrong[name as Field] = String(detail);
  }
  return wrong;
}

export const changedFields = (before: Form, after: Form): Field[] =>
  FIELDS.filter((field) => before[field].trim() !== after[field].trim());

/** Theirs with my changes on top. */
export function mergedForm(base: Form, theirs: Form, mine: Form): Form {
  const merged = { ...theirs };
  for (const field of changedFields(base, mine)) merged[field] = mine[field];
  return merged;
}
