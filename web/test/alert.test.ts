import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert, AlertCode } from "../src/api/shapes";
import { course, KINDS, lasted, News, pathOf, worst } from "../src/domain/alert";

const alert = (id: string, change: Partial<Alert> = {}): Alert => ({
  id,
  deviceId: "drone-1",
  code: "low_battery",
  status: "active",
  raisedAt: "2026-01-01T00:00:00Z",
  clearedAt: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  note: null,
  escalatedAt: null,
  value: 0.1,
  position: null,
  flightId: null,
  undelivered: [],
  instanceId: "i",
  statusQueryGetUri: "/status",
  ...change,
});

test("each kind has a sign of its own, and a kind that is not known has one too", () => {
  assert.equal(new Set(KINDS.map(({ path }) => path)).size, KINDS.length);
  assert.ok(pathOf("on_fire" as AlertCode));
  assert.ok(!KINDS.some(({ path }) => path === pathOf("on_fire" as AlertCode)));
});

test("of several kinds the worst is shown; one that is not known comes last", () => {
  assert.equal(worst([]), null);
  assert.equal(worst(["low_battery", "no_fly_zone", "telemetry_delayed"]), "no_fly_zone");
  assert.equal(worst(["on_fire" as AlertCode, "telemetry_delayed"]), "telemetry_delayed");
  assert.equal(worst(["on_fire" as AlertCode]), "on_fire");
});

test("an alert lasts until it is cleared, or until now", () => {
  const now = Date.parse("2026-01-01T00:01:00Z");
  assert.equal(lasted(alert("a"), now), 60);
  assert.equal(lasted(alert("a", { clearedAt: "2026-01-01T00:00:30Z" }), now), 30);
  assert.equal(lasted(alert("a", { raisedAt: "2026-01-01T00:02:00Z" }), now), 0);
});

test("its course is what happened, in the order in which it did", () => {
  const steps = course(
    alert("a", {
      escalatedAt: "2026-01-01T00:05:00Z",
      acknowledgedAt: "2026-01-01T00:06:00.5Z",
      clearedAt: "2026-01-01T00:06:00.25Z",
    }),
  );
  assert.deepEqual(steps.map(({ what }) => what), ["raised", "escalated", "cleared", "acknowledged"]);
  assert.deepEqual(course(alert("a")).map(({ what }) => what), ["raised"]);
});

test("what was there at first is no news, and nothing is news twice", () => {
  const news = new News();
  assert.deepEqual(news.fresh([alert("old")]), []);
  assert.deepEqual(news.fresh([alert("new"), alert("old")]).map(({ id }) => id), ["new"]);
  assert.deepEqual(news.fresh([]), []);
  // Gone and there again, as when somebody else's answer was slow.
  assert.deepEqual(news.fresh([alert("new")]), []);
  const empty = new News();
  empty.fresh([]);
  assert.equal(empty.fresh([alert("first")]).length, 1);
});
