// How an attempt at a batch went, step by step, out of the durable history of its instance; the history itself is at hand.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { ApiProblem } from "../api/problem";
import type { Batch, BatchInstance } from "../api/shapes";
import { STAGE_OF_ACTIVITY, STEPS } from "../api/types";
import { Empty, Problem } from "../components/basics";
import { Choice } from "../components/menu";
import { Raw } from "../components/raw";
import { Timeline } from "../components/timeline";
import { isOver } from "../domain/instance";
import { courseOf } from "../domain/durableHistory";
import { plural, words } from "../domain/format";
import { serverNow } from "../state/clock";
import { Poller } from "../state/poller";
import { link } from "../state/router";
import { StageMarks } from "./batchStages";
import { stepTitle } from "./stepTitle";

const EVERY_MS = 1500;
const SHOWN_ATTEMPTS = 8;

export function BatchCourse({ batch }: { batch: Batch }) {
  const chosen = useSignal<number | null>(null);
  const attempt = chosen.value ?? batch.attempts;
  const first = Math.max(1, batch.attempts - SHOWN_ATTEMPTS + 1);
  const attempts = Array.from({ length: batch.attempts - first + 1 }, (_, index) => String(first + index));
  return (
    <section aria-label="Course">
      <div class="body-head">
        <h3>Steps</h3>
        {attempts.length > 1 && (
          <Choice
            label="Attempt"
            value={String(attempt)}
            options={attempts.map((number) => [number, number, `Attempt ${number}`] as const)}
            choose={(number) => (chosen.value = Number(number) === batch.attempts ? null : Number(number))}
          />
        )}
      </div>
      <Course key={attempt} batch={batch} attempt={attempt} />
    </section>
  );
}

function Course({ batch, attempt }: { batch: Batch; attempt: number }) {
  const answer = useSignal<BatchInstance | null>(null);
  const problem = useSignal<ApiProblem | null>(null);
  const at = useSignal(serverNow());
  useEffect(() => {
    const poller = new Poller(
      async () => {
        const known = answer.value?.instance;
        if (known && isOver(known.status)) return;
        answer.value = await api.batchInstance(batch.id, attempt);
        at.value = serverNow();
      },
      EVERY_MS,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    return () => poller.stop();
  }, [batch.id, attempt]);
  if (problem.value !== null) return <Problem problem={problem.value} />;
  if (answer.value === null) return <Empty>Asking for the history…</Empty>;
  const known = answer.value.instance;
  if (known === null) {
    const current = attempt === batch.attempts;
    return (
      <>
        {current && <StageMarks batch={batch} />}
        <p class="muted small">
          {current && batch.status === "received"
            ? "Its orchestration has not been started yet."
            : "The engine has no history of this attempt any more."}
        </p>
      </>
    );
  }
  const course = courseOf(known.history);
  const seen = new Set(course.steps.map((step) => STAGE_OF_ACTIVITY[step.name]));
  const todo = isOver(known.status) ? [] : STEPS.filter((stage) => !seen.has(stage)).map(words);
  return (
    <>
      {known.status === "Suspended" && <p class="wrong">Somebody has suspended it: it waits until it is resumed.</p>}
      <Timeline course={course} todo={todo} now={at.value} titleOf={stepTitle} />
      <p class="small muted">
        {plural(known.history.length + known.historyLeftOut, "event")} of{" "}
        <a href={link({ view: "instances", open: known.id })}>orchestration</a>, {words(known.status).toLowerCase()}
      </p>
      <Raw label="Raw history" value={known.history} />
    </>
  );
}
