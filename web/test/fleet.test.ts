import assert from "node:assert/strict";
import { test } from "node:test";
import { connectivityOf } from "../src/domain/connectivity";
import { choices, Fleet, matches, NO_FILTER, select, type Filter, type Row } from "../src/domain/fleet";
import { derived, drone } from "./samples";

const row = (id: string, change: Parameters<typeof drone>[1] = {}, rank = 0): Row => {
  const made = drone(id, change);
  return { drone: made, connectivity: made.connectivity, rank };
};
const filter = (change: Partial<Filter>): Filter => ({ ...NO_FILTER, ...change });

test("an answer that is older than what is known changes nothing", () => {
  const fleet = new Fleet();
  fleet.apply([drone("a", { lastSeen: "2026-01-01T00:00:10.500Z", battery: 0.5 })]);
  // As text, "10Z" sorts after "10.500Z": the digits of a second vary.
  fleet.apply([drone("a", { lastSeen: "2026-01-01T00:00:10Z", battery: 0.9 })]);
  assert.equal(fleet.drones.get("a")?.battery, 0.5);
});

test("the same state again is not a change, a new alert is one", () => {
  const fleet = new Fleet();
  assert.equal(fleet.apply([drone("a")]).length, 1);
  assert.equal(fleet.apply([drone("a")]).length, 0);
  assert.equal(fleet.apply([drone("a", { alerts: [{ code: "low_battery", at: "2026-01-01T00:00:10Z" }] })]).length, 1);
});

test("the next question reaches back behind the newest time seen", () => {
  const fleet = new Fleet();
  assert.equal(fleet.changedSince(), null);
  fleet.apply([drone("a"), drone("b", { lastSeen: "2026-01-01T00:00:30.25Z" })]);
  assert.equal(fleet.changedSince(), "2026-01-01T00:00:15.250Z");
});

test("a full answer forgets drones that are gone, and new ones get their place", () => {
  const fleet = new Fleet();
  const ids = () =>
    fleet
      .rows(() => "online")
      .sort((a, b) => a.rank - b.rank)
      .map((each) => each.drone.id);
  fleet.apply([drone("drone-10"), drone("drone-9"), drone("drone-1")]);
  assert.deepEqual(ids(), ["drone-1", "drone-9", "drone-10"]);
  assert.equal(fleet.keepOnly(new Set(["drone-10", "drone-9"])), true);
  fleet.apply([drone("drone-2")]);
  assert.deepEqual(ids(), ["drone-2", "drone-9", "drone-10"]);
});

test("each filter lets through what it names", () => {
  const low = row("drone-7", {
    alerts: [{ code: "low_battery", at: "2026-01-01T00:00:10Z" }],
    derived: derived({ zones: ["airport"] }),
    flightMode: "landing",
    registration: { name: "Courier Seven", model: "X4", owner: "Contoso" },
    connectivity: "stale",
  });
  const plain = row("drone-8");
  const through = (change: Partial<Filter>) =>
    [low, plain].filter((each) => matches(each, filter(change))).map((each) => each.drone.id);
  assert.deepEqual(through({}), ["drone-7", "drone-8"]);
  assert.deepEqual(through({ connectivity: "stale" }), ["drone-7"]);
  assert.deepEqual(through({ alert: "any" }), ["drone-7"]);
  assert.deepEqual(through({ alert: "no_fly_zone" }), []);
  assert.deepEqual(through({ mode: "inflight" }), ["drone-8"]);
  assert.deepEqual(through({ zone: "airport" }), ["drone-7"]);
  assert.deepEqual(through({ zone: "none" }), ["drone-8"]);
  assert.deepEqual(through({ text: " seven " }), ["drone-7"]);
  assert.deepEqual(through({ text: "CONTOSO" }), ["drone-7"]);
  assert.deepEqual(through({ text: "drone-8" }), ["drone-8"]);
});

test("what is unknown sorts last, whatever the order", () => {
  const rows = [
    row("a", { battery: null, position: null, groundSpeed: null }, 0),
    row("b", { battery: 0.9, groundSpeed: 1 }, 1),
    row("c", { battery: 0.1, groundSpeed: 9 }, 2),
  ];
  const order = (sort: Filter["sort"]) =>
    select(rows, filter({ sort })).map((each) => each.drone.id).join("");
  assert.equal(order("id"), "abc");
  assert.equal(order("battery"), "cba");
  assert.equal(order("speed"), "cba");
  assert.equal(order("altitude"), "bca");
});

test("the filters offer what the fleet has", () => {
  const offered = choices([
    row("a", {
      alerts: [{ code: "no_fly_zone", at: "2026-01-01T00:00:10Z" }],
      derived: derived({ zones: ["east", "airport"] }),
    }),
    row("b", { flightMode: null, derived: derived({ zones: null }) }),
  ]);
  assert.deepEqual(offered, { modes: ["inflight"], alerts: ["no_fly_zone"], zones: ["airport", "east"] });
});

test("connectivity ages on the server's clock between two answers", () => {
  const config = { staleSeconds: 60, offlineSeconds: 600 };
  const at = (seconds: number) =>
    connectivityOf(drone("a"), config, Date.parse("2026-01-01T00:00:10Z") + seconds * 1000);
  assert.deepEqual([0, 60, 61, 601].map(at), ["online", "online", "stale", "offline"]);
  assert.equal(connectivityOf(drone("a", { connectivity: "stale" }), null, 0), "stale");
});
