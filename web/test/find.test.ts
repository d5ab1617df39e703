import assert from "node:assert/strict";
import { test } from "node:test";
import { find } from "../src/domain/find";
import type { Row } from "../src/domain/fleet";
import { VIEWS, type View } from "../src/domain/route";
import { drone } from "./samples";

const titles = Object.fromEntries(VIEWS.map((view) => [view, view === "deadletters" ? "Dead letters" : view])) as Record<
  View,
  string
>;
const rows: Row[] = ["drone-141", "drone-41", "drone-4", "van"].map((id, rank) => ({
  drone: drone(id, { registration: { name: `Courier ${id}` } }),
  connectivity: "online",
  rank,
}));
const found = (text: string) => find(text, rows, titles);
const places = (text: string) => found(text).map(({ to: { view, open, query } }) => [view, open ?? query ?? null]);

test("nothing typed offers the views", () => {
  assert.deepEqual(found("  ").map(({ to }) => to.view), [...VIEWS]);
});

test("a drone is found by its id and its names, the whole id first, and its lists with it", () => {
  assert.deepEqual(places("drone-41"), [
    ["fleet", "drone-41"],
    ["flights", { deviceId: "drone-41" }],
    ["alerts", { deviceId: "drone-41", status: "any" }],
    ["deadletters", { deviceId: "drone-41", status: "any" }],
  ]);
  assert.deepEqual(found("drone-4").slice(0, 2).map(({ title }) => title), ["drone-4", "drone-41"]);
  assert.deepEqual(found("courier v").slice(0, 1).map(({ title }) => title), ["van"]);
  assert.deepEqual(found("nobody"), []);
});

test("an id says by its form what it is of", () => {
  for (const [id, view] of [
    ["telemetry~0~12~34~20260101T000000000000Z", "batches"],
    ["telemetry~0~12~34~20260101T000000000000Z~1", "instances"],
    ["telemetry~0~12~20260101T000000000000Z~event", "deadletters"],
    ["drone-1~20260101T000000000000Z~1a2b3c4d", "flights"],
    ["drone-1~low_battery~abc123", "alerts"],
    ["~alert~drone-1~low_battery~abc123", "instances"],
  ]) {
    assert.deepEqual(places(` ${id} `), [[view, id]]);
  }
  for (const text of ["a~b~c", "drone-1~~", "telemetry~0~12~34~2026 0101"]) assert.deepEqual(found(text), []);
});
