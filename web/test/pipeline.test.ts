import assert from "node:assert/strict";
import { test } from "node:test";
import { healthParts } from "../src/domain/health";
import {
  conservation,
  joined,
  lagSeconds,
  messageRate,
  processingTimes,
  quantile,
  rateSeries,
  sampleOf,
  samplesOf,
} from "../src/domain/pipeline";
import { HIDDEN_MS, LONGEST_MS, nextDelay } from "../src/domain/polling";
import { batch, stats } from "./samples";

const sample = (at: number, messages: number) => ({ at, messages, rejected: 0, unfinished: 0, lag: 0 });

test("the rate is taken over the window, not since the page was opened", () => {
  const samples = [sample(0, 0), sample(100_000, 100_000), sample(110_000, 101_000)];
  assert.equal(messageRate(samples, 30_000), 100);
  assert.equal(messageRate(samples.slice(0, 1), 30_000), null);
  // Between the first two nobody looked: an average would look like a measurement.
  assert.deepEqual(rateSeries(samples), [[110], [100]]);
  // The second is too close to the first to say anything.
  assert.deepEqual(rateSeries([sample(0, 0), sample(700, 40), sample(5000, 10), sample(9000, 30)]), [
    [5, 9],
    [2, 5],
  ]);
});

test("the past that the server kept and what was seen since are one row, an hour long", () => {
  const kept = samplesOf([
    { ...stats(), at: "2026-01-01T00:00:10Z", unfinished: 2, failed: 0, oldestUnprocessedAt: "2026-01-01T00:00:04Z" },
    { ...stats(), at: "not a time", unfinished: 0, failed: 0, oldestUnprocessedAt: null },
  ]);
  const [first] = kept;
  assert.deepEqual([kept.length, first?.unfinished, first?.lag], [1, 2, 6]);
  const seen = sampleOf(stats(), Date.parse("2026-01-01T00:00:12Z"));
  assert.deepEqual(joined(joined([seen], kept, 3600_000), kept, 3600_000), [first, seen]);
  assert.deepEqual(joined(kept, [{ ...seen, at: seen.at + 3600_000 }], 3600_000).length, 1);
});

test("a store that was made anew is no negative rate", () => {
  assert.equal(messageRate([sample(0, 5000), sample(2000, 10)], 30_000), 0);
});

test("every message is accounted for, or the page says by how many it is off", () => {
  assert.deepEqual(conservation(stats()), { state: "balanced" });
  assert.deepEqual(conservation(stats({ unprocessed: 49 })), { state: "waiting", unprocessed: 49 });
  assert.deepEqual(conservation(stats({ messages: 13 })), { state: "broken", difference: 3 });
  const running = { received: 0, running: 1, completed: 1, failed: 0 };
  assert.deepEqual(conservation(stats({ messages: 13, batches: running })), {
    state: "moving",
    difference: 3,
  });
});

test("lag is the age of the oldest batch that is not processed, failed or not", () => {
  const now = Date.parse("2026-01-01T00:01:00Z");
  assert.equal(lagSeconds(stats(), now), 0);
  assert.equal(lagSeconds(stats({ oldestUnprocessedAt: "2026-01-01T00:00:20Z" }), now), 40);
  assert.equal(lagSeconds(stats({ oldestUnprocessedAt: "2026-01-01T00:02:00Z" }), now), 0);
});

test("processing times leave out batches without an end", () => {
  const times = processingTimes([
    batch({ completedAt: "2026-01-01T00:00:03Z" }),
    batch({ completedAt: null }),
    batch(),
  ]);
  assert.deepEqual(times, [1000, 3000]);
  assert.equal(quantile(times, 0.5), 1000);
  assert.equal(quantile(times, 0.95), 3000);
  assert.equal(quantile([], 0.5), null);
});

test("polling slows down while failing, hidden, or asked to wait", () => {
  const calm = { base: 2000, failures: 0, hidden: false, took: 10, retryAfter: null };
  assert.equal(nextDelay(calm), 2000);
  assert.deepEqual(
    [1, 2, 3, 9].map((failures) => nextDelay({ ...calm, failures })),
    [2000, 4000, 8000, LONGEST_MS],
  );
  assert.equal(nextDelay({ ...calm, hidden: true }), HIDDEN_MS);
  assert.equal(nextDelay({ ...calm, took: 1500 }), 3000);
  assert.equal(nextDelay({ ...calm, took: 9000 }), 10_000);
  assert.equal(nextDelay({ ...calm, failures: 1, retryAfter: 45 }), 45_000);
});

test("health parts of an answer of another shape are passed over", () => {
  assert.deepEqual(healthParts({ parts: { store: { status: "healthy" }, hub: { status: "unhealthy", detail: "x" } } }), [
    { name: "store", status: "healthy", detail: "" },
    { name: "hub", status: "unhealthy", detail: "x" },
  ]);
  assert.deepEqual(healthParts(null), []);
  assert.deepEqual(healthParts({ parts: { store: null } }), [{ name: "store", status: "unhealthy", detail: "" }]);
});
