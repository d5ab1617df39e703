// The zones as they are being edited: kept while other views are looked at, undone and redone, saved under the tag that
// was read. Nothing here is in force until the server has taken it.
import { computed, signal } from "@preact/signals";
import { ApiProblem } from "../api/problem";
import { reference } from "../api/reference";
import type { ZoneCollection } from "../api/shapes";
import { Undo } from "../domain/undo";
import { check, faultsOf, type Fault } from "../domain/zoneCheck";
import { differences, freeId, merged, readZones, sameShape, writeZones, type Differences, type Zone } from "../domain/zones";
import { zones as inForce } from "./settings";

type Zones = readonly Zone[];

/** What the server last said, and the tag of that. */
interface Saved {
  zones: Zones;
  tag: string;
}

/** Somebody else has saved meanwhile: what they made of it. */
export interface Conflict {
  theirs: Saved;
  changes: Differences;
  /** Ids that both have changed. */
  both: string[];
}

const history = new Undo<Zones>([]);
const now = signal<Zones>([]);
const steps = signal({ undo: false, redo: false });
const refused = signal<readonly Fault[]>([]);

export const saved = signal<Saved | null>(null);
export const draft = computed<Zones>(() => now.value);
export const chosen = signal<string | null>(null);
/** The corner that the map shows as pointed at: ring numbered on through the zone, corner in it. */
export const pointedCorner = signal<{ ring: number; corner: number } | null>(null);
export const canStep = computed(() => steps.value);
export const faults = computed<readonly Fault[]>(() => [...check(now.value), ...refused.value]);
export const problem = signal<unknown>(null);
export const conflict = signal<Conflict | null>(null);
export const busy = signal(false);
/** What was done last, in words: read out by screen readers. */
export const said = signal("");

const text = (zones: Zones) => JSON.stringify(writeZones(zones));
export const isChanged = computed(() => saved.value !== null && text(saved.value.zones) !== text(now.value));

function show(zones: Zones): void {
  now.value = zones;
  steps.value = { undo: history.canUndo, redo: history.canRedo };
  if (!zones.some(({ key }) => key === chosen.peek())) chosen.value = null;
}

function push(zones: Zones, about: string | null = null): void {
  history.push(zones, about);
  show(zones);
}

export function undo(): void {
  if (!history.canUndo) return;
  refused.value = [];
  show(history.undo());
  said.value = "Undone.";
}

export function redo(): void {
  if (!history.canRedo) return;
  refused.value = [];
  show(history.redo());
  said.value = "Redone.";
}

/** `about` names the field that is typed into. */
export function change(key: string, part: Partial<Zone>, about: string | null = null): void {
  const zones = now.peek();
  const before = zones.find((zone) => zone.key === key);
  if (!before || (part.polygons && sameShape(part.polygons, before.polygons))) return;
  // What the server has refused was said of the zone as it was.
  refused.value = refused.peek().filter((fault) => fault.key !== key);
  push(
    zones.map((zone) => (zone.key === key ? { ...zone, ...part } : zone)),
    about && `${key} ${about}`,
  );
}

export function add(polygons: Zone["polygons"]): void {
  const id = freeId(now.peek());
  const zone = { key: id, id, name: "", kind: "no_fly", floor: "", ceiling: "", polygons, source: null };
  push([...now.peek(), zone]);
  chosen.value = id;
  said.value = `${id} is new.`;
}

export function remove(key: string): void {
  push(now.peek().filter((zone) => zone.key !== key));
  refused.value = refused.peek().filter((fault) => fault.key !== key);
  said.value = "Removed. Undo brings it back.";
}

/** The whole draft is replaced: by an earlier version, say. One step back undoes it. */
export function replaceAll(document: ZoneCollection): void {
  refused.value = [];
  push(keyed(readZones(document)));
}

async function asked<T>(ask: () => Promise<T>): Promise<T | null> {
  busy.value = true;
  problem.value = null;
  try {
    return await ask();
  } catch (error) {
    problem.value = error;
    return null;
  } finally {
    busy.value = false;
  }
}

async function read(): Promise<Saved> {
  const { value, tag } = await reference.zones();
  inForce.value = value;
  return { zones: readZones(value), tag: tag ?? "" };
}

/** Reads what is in force, unless there are changes here that would be lost. */
export async function load(): Promise<void> {
  if (isChanged.peek()) return;
  const fresh = await asked(read);
  if (!fresh || (saved.peek()?.tag === fresh.tag && now.peek().length > 0)) return;
  begin(fresh);
}

function begin(fresh: Saved): void {
  saved.value = fresh;
  refused.value = [];
  conflict.value = null;
  history.reset(fresh.zones);
  show(fresh.zones);
}

/** Drops all that was changed here. */
export function discard(): void {
  const { value } = saved;
  if (!value) return;
  push(value.zones);
  refused.value = [];
  problem.value = null;
  said.value = "As it was saved. Undo brings your changes back.";
}

export async function save(): Promise<void> {
  const [base, zones] = [saved.peek(), now.peek()];
  if (!base || faults.peek().length > 0) return;
  await asked(async () => {
    try {
      const { value, tag } = await reference.putZones(writeZones(zones), base.tag);
      taken(value, tag ?? "");
      said.value = "Saved. In force everywhere within ten seconds.";
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.kind === "outdated") return meet(base, zones);
      refused.value = faultsOf(error.errors, zones);
      if (refused.value.length === 0) throw error;
    }
  });
}

/** Zones of the server under the keys that they have here, so that what is open stays open. */
function keyed(zones: Zones): Zones {
  const keys = new Map(now.peek().map((zone) => [zone.id, zone.key]));
  const used = new Set<string>();
  return zones.map((zone) => {
    let key = keys.get(zone.id) ?? zone.key;
    while (used.has(key)) key += "~";
    used.add(key);
    return { ...zone, key };
  });
}

/** The draft is what is in force. */
function taken(document: ZoneCollection, tag: string): void {
  inForce.value = document;
  const zones = keyed(readZones(document));
  saved.value = { zones, tag };
  conflict.value = null;
  refused.value = [];
  push(zones);
}

async function meet(base: Saved, mine: Zones): Promise<void> {
  const theirs = await read();
  const changes = differences(base.zones, theirs.zones);
  const my = differences(base.zones, mine);
  const touched = new Set([...my.added, ...my.changed, ...my.removed]);
  const both = [...changes.added, ...changes.changed, ...changes.removed].filter((id) => touched.has(id));
  conflict.value = { theirs, changes, both };
}

/** The ways on from a conflict. Each is one step that can be undone; nothing is sent by it. */
export function settle(how: "both" | "theirs" | "mine"): void {
  const [found, base] = [conflict.peek(), saved.peek()];
  if (!found || !base) return;
  const { theirs } = found;
  saved.value = theirs;
  conflict.value = null;
  if (how === "theirs") push(keyed(theirs.zones));
  if (how === "both") push(keyed(merged(base.zones, theirs.zones, now.peek())));
  said.value = how === "theirs" ? "Theirs are shown." : "Save again to put this in force.";
}

export async function restore(version: number): Promise<void> {
  const base = saved.peek();
  if (!base) return;
  const { value, tag } = await reference.restoreZones(version, base.tag);
  taken(value, tag ?? "");
  said.value = `Version ${version} is in force again.`;
}

window.addEventListener("beforeunload", (event) => {
  if (isChanged.peek()) event.preventDefault();
});
