// Histories as the real Durable extension shows them: the recordings that the local engine is held to as well.
import assert from "node:assert/strict";
import { test } from "node:test";
import events from "../../packages/functions_host/tests/durable/recordings/events.json";
import fails from "../../packages/functions_host/tests/durable/recordings/fails.json";
import longtimer from "../../packages/functions_host/tests/durable/recordings/longtimer.json";
import parent from "../../packages/functions_host/tests/durable/recordings/parent.json";
import retry from "../../packages/functions_host/tests/durable/recordings/retry.json";
import suspended from "../../packages/functions_host/tests/durable/recordings/suspend_resume.json";
import terminate from "../../packages/functions_host/tests/durable/recordings/terminate.json";
import { courseOf, tookMs, type HistoryEvent, type Step } from "../src/domain/durableHistory";

/** The histories in a recording, in the order in which they were asked for. */
function histories(recording: { exchanges: readonly unknown[] }): HistoryEvent[][] {
  return recording.exchanges
    .map((exchange) => (exchange as { answer?: { historyEvents?: HistoryEvent[] } }).answer?.historyEvents)
    .filter((found) => found !== undefined);
}

const last = (recording: { exchanges: readonly unknown[] }): HistoryEvent[] => histories(recording).at(-1) ?? [];
const brief = (steps: readonly Step[]) =>
  steps.map(({ kind, name, state, attempts }) => `${kind} ${name} ${state} ${attempts.length}`);

test("calls with retries that run side by side are told apart, each with its attempts", () => {
  const { steps } = courseOf(last(retry));
  assert.deepEqual(brief(steps), ["activity flaky done 3", "activity flaky done 3", "activity boom failed 2"]);
  const [first, second, boom] = steps as [Step, Step, Step];
  assert.deepEqual(
    first.attempts.map((attempt) => attempt.error),
    ["Activity function 'flaky' failed:  RuntimeError: attempt 1", "Activity function 'flaky' failed:  RuntimeError: attempt 2", null],
  );
  assert.equal(second.result, "ok after 3");
  assert.ok((first.attempts[0]?.retryAt ?? 0) > (first.attempts[0]?.endedAt ?? Infinity));
  assert.ok((tookMs(first) ?? 0) > 100);
  assert.ok((boom.attempts[1]?.error ?? "").includes("ValueError: boom"));
});

test("a failure's text is without the stack behind it", () => {
  const { steps, startedAt, endedAt } = courseOf(last(fails));
  assert.deepEqual(brief(steps), ["activity boom failed 1"]);
  assert.equal(steps[0]?.attempts[0]?.error, "Activity function 'boom' failed:  ValueError: boom {'q': 2}");
  assert.equal(startedAt, Date.parse("2026-11-23T07:05:57.222Z"));
  assert.equal(endedAt, Date.parse("2026-11-23T07:05:57.358Z"));
});

test("sub-orchestrations name their instances; a loser of a race that ended is under way no longer", () => {
  const subs = courseOf(last(parent)).steps;
  assert.deepEqual(brief(subs), ["orchestration chain done 1", "orchestration timer done 1", "orchestration timer done 1"]);
  assert.equal(subs[1]?.instanceId, "parent-1:t1");
  assert.deepEqual(brief(courseOf(last(events)).steps), ["timer Timer left 1", "event go done 1"]);
});

test("a timer waits until it is due, and has fired then", () => {
  const [first] = histories(longtimer);
  const waiting = courseOf((first ?? []).filter((event) => event["EventType"] !== "ExecutionTerminated"));
  assert.deepEqual(brief(waiting.steps), ["timer Timer now 1"]);
  assert.ok((waiting.steps[0]?.attempts[0]?.retryAt ?? 0) > Date.parse("2026-11-25T00:00:00Z"));
});

test("what a person did stands among the steps, and a task that was running then has no end", () => {
  const all = histories(terminate).map((history) => courseOf(history));
  const busy = all.find(({ steps }) => steps.some((step) => step.name === "slow"));
  assert.deepEqual(brief(busy?.steps ?? []), ["activity slow left 1", "timer Timer done 1", "operator Terminated done 1"]);
  assert.equal(busy?.steps[2]?.result, "busy");
  assert.equal(tookMs(busy?.steps[0] as Step), null);
  assert.notEqual(busy?.endedAt, null);
  const names = courseOf(last(suspended)).steps.filter((step) => step.kind === "operator");
  assert.deepEqual(names.map(({ name, result }) => [name, result]), [["Suspended", "because"], ["Resumed", "ok"]]);
});

test("what is no history is none", () => {
  assert.deepEqual(courseOf([{}, { EventType: 7 }, { EventType: "TaskCompleted" }]).steps.map((step) => step.name), [
    "unknown",
  ]);
});
