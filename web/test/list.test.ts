import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, isOver, type Operation } from "../src/domain/instance";
import { merged, refreshed } from "../src/domain/list";
import { boundsOf, chosenPeriod } from "../src/domain/period";

const rows = (...ids: string[]) => ids.map((id) => ({ id, said: "old" }));

test("rows that stand still are brought up to date where they stand, and what is new is counted", () => {
  const { items, fresh } = refreshed(rows("c", "b", "a"), [
    { id: "e", said: "new" },
    { id: "d", said: "new" },
    { id: "b", said: "new" },
  ]);
  assert.deepEqual(
    items.map(({ id, said }) => `${id} ${said}`),
    ["c old", "b new", "a old"],
  );
  assert.equal(fresh, 2);
  assert.deepEqual(refreshed([], rows("a")), { items: [], fresh: 1 });
});

test("a first page goes on top of what was read further down", () => {
  assert.deepEqual(
    merged(rows("d", "c"), rows("c", "b", "a")).map(({ id }) => id),
    ["d", "c", "b", "a"],
  );
});

test("a stretch of time is so long until now, or from one moment to another", () => {
  const now = Date.parse("2026-01-02T03:04:05.678Z");
  assert.deepEqual(boundsOf({ last: "15m" }, now), { from: "2026-01-02T02:49:05.000Z", to: "" });
  assert.deepEqual(boundsOf({ last: "24h", from: "x" }, now), { from: "2026-01-01T03:04:05.000Z", to: "" });
  const range = { last: "range", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" };
  assert.deepEqual(boundsOf(range, now), { from: range.from, to: range.to });
  assert.deepEqual(boundsOf({ last: "forever" }, now), { from: "", to: "" });
  assert.deepEqual(
    [{}, { last: "7d" }, { last: "range" }, { from: "2026-01-01T00:00:00Z" }, { last: "forever" }].map(chosenPeriod),
    ["", "7d", "range", "range", ""],
  );
});

test("what may be done to an orchestration is what the server allows", () => {
  const may = (operation: Operation, name = "process_batch") =>
    (["Pending", "Running", "ContinuedAsNew", "Suspended", "Completed", "Failed", "Terminated", "Canceled"] as const)
      .filter((status) => allowed(operation, { status, name }))
      .join(" ");
  assert.equal(may("suspend"), "Pending Running ContinuedAsNew");
  assert.equal(may("resume"), "Suspended");
  assert.equal(may("terminate"), "Pending Running ContinuedAsNew Suspended");
  assert.equal(may("restart"), "Completed Failed Terminated Canceled");
  assert.equal(may("purge"), may("restart"));
  assert.equal(may("purge", "alert_monitor"), may("purge"));
  assert.equal(may("restart", "alert_monitor"), "");
  assert.equal(isOver("Suspended"), false);
});
