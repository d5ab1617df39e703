// What an orchestration did, out of its history as the Durable status API shows it: there is one event for a task that
// has ended, with the time it was scheduled, and one for a task that has not. When a worker took it up stands nowhere.
import { instant } from "./time";

export interface Attempt {
  /** Milliseconds since the epoch; null where the history does not say. */
  scheduledAt: number | null;
  endedAt: number | null;
  error: string | null;
  /** When the next attempt is due, if there is to be one. */
  retryAt: number | null;
}

export type StepKind = "activity" | "orchestration" | "timer" | "event" | "signal" | "operator";

export interface Step {
  kind: StepKind;
  name: string;
  /** ``left``: the orchestration ended without it. */
  state: "done" | "failed" | "now" | "left";
  attempts: Attempt[];
  /** The sub-orchestration's instance, or the entity that was signalled. */
  instanceId: string | null;
  result: unknown;
}

export interface Course {
  startedAt: number | null;
  endedAt: number | null;
  steps: Step[];
}

export type HistoryEvent = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const time = (value: unknown): number | null => instant(text(value));

/** The host puts the stack behind the error's own words. */
const reason = (event: HistoryEvent): string =>
  (text(event["Reason"]) ?? text(event["Details"]) ?? "failed without a word").split(" \n ")[0] ?? "";

const ENDS: Readonly<Record<string, readonly ["activity" | "orchestration", "done" | "failed"]>> = {
  TaskCompleted: ["activity", "done"],
  TaskFailed: ["activity", "failed"],
  SubOrchestrationInstanceCompleted: ["orchestration", "done"],
  SubOrchestrationInstanceFailed: ["orchestration", "failed"],
};
const OPEN: Readonly<Record<string, "activity" | "orchestration">> = {
  TaskScheduled: "activity",
  SubOrchestrationInstanceCreated: "orchestration",
};
const BY_HAND: Readonly<Record<string, string>> = {
  ExecutionSuspended: "Suspended",
  ExecutionResumed: "Resumed",
  ExecutionTerminated: "Terminated",
  ExecutionRewound: "Rewound",
  GenericEvent: "Rewound",
};

export function courseOf(history: readonly HistoryEvent[]): Course {
  const course: Course = { startedAt: null, endedAt: null, steps: [] };
  for (const event of history) {
    const kind = text(event["EventType"]) ?? "";
    const at = time(event["Timestamp"]);
    if (kind === "ExecutionStarted") course.startedAt ??= at;
    else if (kind === "ExecutionCompleted") course.endedAt = at;
    else if (kind in ENDS) ended(course.steps, event, at);
    else if (kind in OPEN) open(course.steps, event, at);
    else if (kind === "TimerCreated") timerCreated(course.steps, event, at);
    else if (kind === "TimerFired") timerFired(course.steps, event);
    else if (kind === "EventRaised" && text(event["Name"]) !== null) {
      course.steps.push(moment("event", text(event["Name"]) ?? "", at, event["Input"]));
    } else if (kind === "EventSent") {
      course.steps.push({ ...moment("signal", text(event["Name"]) ?? "", at, null), instanceId: text(event["InstanceId"]) });
    } else if (kind in BY_HAND) {
      course.steps.push(moment("operator", BY_HAND[kind] ?? kind, at, text(event["Reason"]) ?? text(event["Input"])));
      if (kind === "ExecutionTerminated") course.endedAt = at;
    }
  }
  if (course.endedAt !== null) {
    for (const step of course.steps) if (step.state === "now") step.state = "left";
  }
  return course;
}

function moment(kind: StepKind, name: string, at: number | null, result: unknown): Step {
  const attempt = { scheduledAt: at, endedAt: at, error: null, retryAt: null };
  return { kind, name, state: "done", attempts: [attempt], instanceId: null, result };
}

const nameOf = (event: HistoryEvent): string => text(event["FunctionName"]) ?? text(event["Name"]) ?? "unknown";

/** The call that this attempt belongs to: of the same name, and failed before this attempt was scheduled. */
function tried(steps: readonly Step[], kind: StepKind, name: string, scheduledAt: number | null): Step | undefined {
  return steps.find((step) => {
    const last = step.attempts.at(-1);
    return (
      step.kind === kind &&
      step.name === name &&
      step.state === "failed" &&
      last !== undefined &&
      last.retryAt !== null &&
      (scheduledAt === null || last.endedAt === null || last.endedAt <= scheduledAt)
    );
  });
}

function add(steps: Step[], found: Step): void {
  const before = tried(steps, found.kind, found.name, found.attempts[0]?.scheduledAt ?? null);
  if (!before) {
    steps.push(found);
    return;
  }
  before.attempts.push(...found.attempts);
  before.state = found.state;
  before.result = found.result;
  before.instanceId = found.instanceId;
}

function ended(steps: Step[], event: HistoryEvent, at: number | null): void {
  const [kind, state] = ENDS[text(event["EventType"]) ?? ""] ?? ["activity", "failed"];
  const error = state === "failed" ? reason(event) : null;
  const attempt = { scheduledAt: time(event["ScheduledTime"]), endedAt: at, error, retryAt: null };
  const step: Step = {
    kind,
    name: nameOf(event),
    state,
    attempts: [attempt],
    instanceId: text(event["InstanceId"]),
    result: event["Result"] ?? null,
  };
  add(steps, step);
}

function open(steps: Step[], event: HistoryEvent, at: number | null): void {
  add(steps, {
    kind: OPEN[text(event["EventType"]) ?? ""] ?? "activity",
    name: nameOf(event),
    state: "now",
    attempts: [{ scheduledAt: at, endedAt: null, error: null, retryAt: null }],
    instanceId: text(event["InstanceId"]),
    result: null,
  });
}

/** A call with retries waits with a timer after each failure, with one of no length after the last. */
function timerCreated(steps: Step[], event: HistoryEvent, at: number | null): void {
  const due = time(event["FireAt"]);
  const waiting = steps.find((step) => step.state === "failed" && step.attempts.at(-1)?.retryAt === null);
  const last = waiting?.attempts.at(-1);
  if (last && due !== null) {
    last.retryAt = due;
    return;
  }
  const attempt = { scheduledAt: at, endedAt: null, error: null, retryAt: due };
  steps.push({ kind: "timer", name: "Timer", state: "now", attempts: [attempt], instanceId: null, result: null });
}

/** The event's own time is that of the timer's making: when it was due is the best that there is. */
function timerFired(steps: Step[], event: HistoryEvent): void {
  const due = time(event["FireAt"]);
  const timer = steps.find(
    (step) => step.kind === "timer" && step.state === "now" && step.attempts[0]?.retryAt === due,
  );
  if (!timer) return;
  timer.state = "done";
  timer.attempts = timer.attempts.map((attempt) => ({ ...attempt, endedAt: due }));
}

/** From the first attempt's schedule to the last one's end, milliseconds; null while it is under way. */
export function tookMs(step: Step): number | null {
  const from = step.attempts[0]?.scheduledAt ?? null;
  const to = step.attempts.at(-1)?.endedAt ?? null;
  return from === null || to === null ? null : Math.max(0, to - from);
}
