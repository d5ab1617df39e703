// The live fleet: polling, connection state, the list's filter and selection.
import { computed, effect, signal } from "@preact/signals";
import { api, everything } from "../api/client";
import { connectivityOf } from "../domain/connectivity";
import { choices, filterOf, Fleet, NO_FILTER, queryOf, select, type Filter, type Row } from "../domain/fleet";
import { now, serverClock, serverNow } from "./clock";
import { Poller, type PollReport } from "./poller";
import { refine, route } from "./router";
import { config } from "./settings";

const BASE_MS = 2000;
const FULL_EVERY_MS = 60_000;
const PAGE = 1000;
const MOST = 100_000;
const FIELDS = [
  "position",
  "battery",
  "flightMode",
  "groundSpeed",
  "heading",
  "derived",
  "alerts",
  "lastSeen",
  "ageSeconds",
  "connectivity",
  "registration",
].join(",");

const fleet = new Fleet();
let lastFull = 0;

/** Every drone, in no order, with its connectivity as of now. */
export const rows = signal<Row[]>([]);
/** Milliseconds between the last two answers: how long a marker glides. */
export const cadence = signal(BASE_MS);
export const connection = signal<PollReport>({
  failures: 0,
  problem: null,
  answeredAt: null,
  nextAt: 0,
});
export const filter = computed<Filter>(() => {
  const { view, query } = route.value;
  return view === "fleet" ? filterOf(query) : NO_FILTER;
});
/** Goes into the address, so that what is looked at can be sent to a colleague. */
export const refineFleet = (part: Partial<Filter>): void => refine(queryOf({ ...filter.value, ...part }), true);
export const shown = computed(() => select(rows.value, filter.value));
export const offered = computed(() => choices(rows.value));

/** `lost`: what is on the page is old. `denied`: the server answers, but not to this caller. */
export type ConnectionState = "connecting" | "live" | "lost" | "denied";
export const connectionState = computed<ConnectionState>(() => {
  const { problem, answeredAt } = connection.value;
  if (problem?.kind === "signIn" || problem?.kind === "forbidden") return "denied";
  if (problem) return "lost";
  return answeredAt === null ? "connecting" : "live";
});

function refresh(): void {
  const at = serverNow();
  rows.value = fleet.rows((drone) => connectivityOf(drone, config.peek(), at));
}

async function ask(): Promise<void> {
  const asked = Date.now();
  const since = fleet.changedSince();
  const full = since === null || asked - lastFull > FULL_EVERY_MS;
  const items = await everything(
    (continuation) =>
      api.drones({
        limit: PAGE,
        continuation,
        fields: FIELDS,
        changedSince: full ? null : since,
      }),
    MOST,
  );
  const answered = Date.now();
  for (const { lastSeen, ageSeconds } of items.slice(0, 1)) {
    if (lastSeen !== null && ageSeconds !== null) serverClock.learn(lastSeen, ageSeconds, answered);
  }
  const before = connection.peek().answeredAt;
  if (before !== null) cadence.value = Math.min(6000, Math.max(500, answered - before));
  fleet.apply(items);
  if (full) {
    lastFull = asked;
    if (items.length < MOST) fleet.keepOnly(new Set(items.map((drone) => drone.id)));
  }
  refresh();
}

const poller = new Poller(ask, BASE_MS, (report) => {
  connection.value = report;
});

export const askNow = poller.now;

/** Registrations change without a message: only an answer about every drone has them. */
export function askForAll(): void {
  lastFull = 0;
  poller.now();
}

export function startFleet(): void {
  poller.start();
  effect(() => {
    // Connectivity ages between answers too; but while there are none, nobody knows whether a drone is silent.
    void now.value;
    void config.value;
    if (connectionState.value !== "live") return;
    if (rows.peek().some(({ drone, connectivity }) => outdated(drone, connectivity))) refresh();
  });
}

function outdated(drone: Row["drone"], connectivity: Row["connectivity"]): boolean {
  return connectivityOf(drone, config.peek(), now.peek()) !== connectivity;
}
