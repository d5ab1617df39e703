// One orchestration: its steps, what it was given and what it gave, and what may be done to it.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { InstanceDetail } from "../api/shapes";
import { Empty, Problem, StatusBadge } from "../components/basics";
import { Icon } from "../components/icons";
import { Id } from "../components/id";
import { Facts, SidePanel } from "../components/listPage";
import { Raw } from "../components/raw";
import { Timeline } from "../components/timeline";
import { Clock } from "../components/times";
import { courseOf, type Step } from "../domain/durableHistory";
import { plural } from "../domain/format";
import { allowed, isOver, type Operation } from "../domain/instance";
import { safeUrl } from "../domain/url";
import { question } from "../state/ask";
import { serverNow } from "../state/clock";
import { Poller } from "../state/poller";
import { link } from "../state/router";
import { steer } from "./instanceActions";
import { stepTitle } from "./stepTitle";

const EVERY_MS = 2000;

export function InstancePanel(props: { id: string; close: () => void; changed: () => void }) {
  const { id, close, changed } = props;
  const detail = useSignal<InstanceDetail | null>(null);
  const problem = useSignal<ApiProblem | null>(null);
  const at = useSignal(serverNow());
  const ask = useSignal<() => void>(() => {});
  const gone = useRef(false);
  useEffect(() => {
    const poller = new Poller(
      async () => {
        if (gone.current) return;
        detail.value = await api.instance(id);
        at.value = serverNow();
      },
      EVERY_MS,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    ask.value = poller.now;
    return () => poller.stop();
  }, [id]);
  const done = (operation: Operation) => {
    changed();
    if (operation === "purge") close();
    else ask.value();
  };
  const known = detail.value;
  return (
    <SidePanel title="Orchestration" label={`Orchestration ${id}`} close={close}>
      {problem.value !== null && <Problem problem={problem.value} />}
      {!known && problem.value === null && <Empty>Asking for the orchestration…</Empty>}
      {known && <Body instance={known} at={at.value} changed={done} leave={(left) => (gone.current = left)} />}
    </SidePanel>
  );
}

const OPERATIONS: readonly (readonly [Operation, string, string])[] = [
  ["suspend", "Suspend", "pause"],
  ["resume", "Resume", "play"],
  ["terminate", "Terminate", "stop"],
  ["restart", "Start anew", "replay"],
  ["purge", "Purge", "trash"],
];

function Body(props: {
  instance: InstanceDetail;
  at: number;
  changed: (operation: Operation) => void;
  leave: (gone: boolean) => void;
}) {
  const { instance, at, changed, leave } = props;
  const course = courseOf(instance.history);
  return (
    <>
      <Id value={instance.id} what="instance's id" />
      <div class="detail-status">
        <StatusBadge status={instance.status} />
        <span class="muted mono">{instance.name}</span>
      </div>
      {instance.error && (
        <section aria-label="Error">
          <h3>{instance.status === "Terminated" ? "Reason" : "Error"}</h3>
          <pre class="error-text" tabIndex={0}>
            {instance.error}
          </pre>
        </section>
      )}
      {instance.status === "Suspended" && typeof instance.output === "string" && (
        <p class="quote">Suspended: {instance.output}</p>
      )}
      <div class="actions">
        {OPERATIONS.filter(([operation]) => allowed(operation, instance)).map(([operation, title, icon]) => (
          <button
            key={operation}
            type="button"
            class={operation === "terminate" || operation === "purge" ? "quiet danger-text" : "quiet"}
            onClick={() => (question.value = steer(operation, instance, changed, leave))}
          >
            <Icon name={icon} /> {title}
          </button>
        ))}
        {instance.batchId !== null && (
          <a class="button quiet" href={link({ view: "batches", open: instance.batchId })}>
            Its batch
          </a>
        )}
        <a class="button quiet" href={safeUrl(instance.statusQueryGetUri)} target="_blank" rel="noopener">
          Durable status <Icon name="external" size={12} />
        </a>
      </div>
      <section aria-label="Course">
        <h3>Steps</h3>
        {instance.historyLeftOut > 0 && (
          <p class="muted small">{plural(instance.historyLeftOut, "older event")} not shown.</p>
        )}
        {course.steps.length === 0 && (
          <p class="muted">{isOver(instance.status) ? "It took no step." : "No step has been scheduled yet."}</p>
        )}
        <Timeline course={course} now={at} titleOf={titleOf} linkOf={linkOf} />
      </section>
      <Facts
        facts={[
          ["Created", <Clock key="c" time={instance.createdAt} />],
          ["Last moved", <Clock key="u" time={instance.updatedAt} />],
        ]}
      />
      {instance.customStatus !== null && <Raw label="Custom status" value={instance.customStatus} open />}
      <Raw label="Input" value={instance.input} />
      <Raw label="Output" value={instance.output} />
      <Raw label="Raw history" value={instance.history} />
    </>
  );
}

const titleOf = (step: Step): string => {
  const title = stepTitle(step);
  return title === step.name ? title : `${title} (${step.name})`;
};

const linkOf = (step: Step): string | null =>
  step.kind === "orchestration" && step.instanceId !== null ? link({ view: "instances", open: step.instanceId }) : null;
