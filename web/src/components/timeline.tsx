// An orchestration's steps in the order in which they were scheduled: how long each took, how often it was tried, and
// what went wrong.
import type { ComponentChildren } from "preact";
import { tookMs, type Attempt, type Course, type Step, type StepKind } from "../domain/durableHistory";
import { UNKNOWN } from "../domain/format";
import { span } from "../domain/time";
import { moment } from "../state/display";
import { Icon } from "./icons";

const STATES: Record<Step["state"] | "todo", string> = {
  done: "done",
  failed: "failed",
  now: "under way",
  left: "left unfinished",
  todo: "to do",
};
const ICONS: Partial<Record<Step["state"] | "todo", string>> = { done: "check", failed: "close" };
const KINDS: Partial<Record<StepKind, string>> = {
  orchestration: "orchestration",
  timer: "timer",
  event: "event received",
  signal: "signal sent",
  operator: "by hand",
};

export function Timeline(props: {
  course: Course;
  /** What a step is called. */
  titleOf?: (step: Step) => string;
  /** Steps that are yet to come. */
  todo?: readonly string[];
  /** Server's time, milliseconds since the epoch: how long what is under way has taken. */
  now: number;
  linkOf?: (step: Step) => string | null;
}) {
  const { course, titleOf = (step: Step) => step.name, todo = [], now } = props;
  const start = course.startedAt ?? course.steps[0]?.attempts[0]?.scheduledAt ?? null;
  const end = Math.max(course.endedAt ?? now, ...course.steps.flatMap((step) => step.attempts.map((a) => a.endedAt ?? 0)));
  const part = (from: number | null, to: number | null) => {
    if (start === null || from === null || end <= start) return null;
    const share = (at: number) => (100 * Math.min(Math.max(at - start, 0), end - start)) / (end - start);
    return { left: `${share(from)}%`, width: `${share(to ?? end) - share(from)}%` };
  };
  return (
    <ol class="timeline" aria-label="Steps">
      {course.steps.map((step, index) => (
        <li key={index} class={step.state} {...(step.state === "now" ? { "aria-current": "step" } : {})}>
          <Mark state={step.state} />
          <div class="step-body">
            <Head title={titleOf(step)} step={step} now={now} href={props.linkOf?.(step) ?? null} />
            <div class="step-bar" aria-hidden="true">
              {step.attempts.map((attempt, at) => {
                const style = part(attempt.scheduledAt, attempt.endedAt);
                return style && <span key={at} class={attempt.error === null ? "" : "failed"} style={style} />;
              })}
            </div>
            <When attempts={step.attempts} start={start} kind={step.kind} />
            <Failures step={step} start={start} />
          </div>
        </li>
      ))}
      {todo.map((title) => (
        <li key={title} class="todo">
          <Mark state="todo" />
          <div class="step-body">
            <p class="step-line">
              {title}
              <span class="visually-hidden">, {STATES.todo}</span>
            </p>
          </div>
        </li>
      ))}
    </ol>
  );
}

function Mark({ state }: { state: Step["state"] | "todo" }) {
  const icon = ICONS[state];
  return <span class="step-mark">{icon && <Icon name={icon} size={12} />}</span>;
}

function Head({ title, step, now, href }: { title: string; step: Step; now: number; href: string | null }) {
  const took = tookMs(step);
  const since = step.attempts[0]?.scheduledAt ?? null;
  const kind = KINDS[step.kind];
  return (
    <p class="step-line">
      {href ? <a href={href}>{title}</a> : <strong>{title}</strong>}
      <span class="visually-hidden">, {STATES[step.state]}</span>
      {kind && <span class="muted small">{kind}</span>}
      {step.attempts.length > 1 && <span class="step-tries">{step.attempts.length} attempts</span>}
      <span class="step-took">
        {took !== null ? took > 0 && span(took) : step.state === "now" && since !== null ? `${span(now - since)} so far` : UNKNOWN}
      </span>
    </p>
  );
}

/** A moment as time after the start, the whole of it as its title. */
function After({ at, start }: { at: number; start: number | null }) {
  const iso = new Date(at).toISOString();
  return (
    <time dateTime={iso} title={`${moment(iso)} (${iso})`}>
      {start === null ? moment(iso) : `+${span(at - start)}`}
    </time>
  );
}

function When({ attempts, start, kind }: { attempts: readonly Attempt[]; start: number | null; kind: StepKind }) {
  const { scheduledAt = null, retryAt = null } = attempts[0] ?? {};
  const endedAt = attempts.at(-1)?.endedAt ?? null;
  const words: ComponentChildren[] = [];
  if (scheduledAt !== null) words.push(<>scheduled <After at={scheduledAt} start={start} /></>);
  if (kind === "timer" && retryAt !== null && endedAt === null) words.push(<>due <After at={retryAt} start={start} /></>);
  if (endedAt !== null && endedAt !== scheduledAt) words.push(<>ended <After at={endedAt} start={start} /></>);
  return (
    <p class="step-when">
      {words.map((word, index) => (
        <span key={index}>{word}</span>
      ))}
    </p>
  );
}

/** Attempts that failed with the same words stand together: most of them do. */
function Failures({ step, start }: { step: Step; start: number | null }) {
  const groups: { error: string; attempts: { number: number; endedAt: number | null }[] }[] = [];
  step.attempts.forEach(({ error, endedAt }, index) => {
    if (error === null) return;
    const attempt = { number: index + 1, endedAt };
    const last = groups.at(-1);
    if (last?.error === error) last.attempts.push(attempt);
    else groups.push({ error, attempts: [attempt] });
  });
  if (groups.length === 0) return null;
  const due = step.state === "failed" ? waitsUntil(step) : null;
  return (
    <ul class="step-failures">
      {groups.map(({ error, attempts }, index) => (
        <li key={index}>
          <p class="small">
            {step.attempts.length > 1 ? `Attempt ${attempts.map(({ number }) => number).join(", ")} failed` : "Failed"}{" "}
            {attempts.map(({ number, endedAt }) => (
              <span key={number}>{endedAt !== null && <After at={endedAt} start={start} />} </span>
            ))}
          </p>
          <pre class="error-text" tabIndex={0} aria-label="Error">
            {error}
          </pre>
        </li>
      ))}
      {due !== null && (
        <li class="small">
          The next attempt is due <After at={due} start={start} />.
        </li>
      )}
    </ul>
  );
}

/** When the next attempt is due; null when the last one was the last: a timer of no length follows that one. */
function waitsUntil(step: Step): number | null {
  const { endedAt = null, retryAt = null } = step.attempts.at(-1) ?? {};
  return retryAt !== null && endedAt !== null && retryAt > endedAt + 100 ? retryAt : null;
}
