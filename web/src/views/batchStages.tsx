// How far a batch is, by its stage alone: where its durable history is not to be had.
import type { Batch } from "../api/shapes";
import { STEPS } from "../api/types";
import { Icon } from "../components/icons";
import { words } from "../domain/format";

/** The stages in order with the current one marked; a stage this page does not know stands by itself. */
export function StageMarks({ batch }: { batch: Batch }) {
  const at = batch.status === "completed" ? STEPS.length : STEPS.findIndex((step) => step === batch.stage);
  if (batch.stage && at < 0) return <p class="muted">Stage: {words(batch.stage)}</p>;
  return (
    <ol class="steps" aria-label="Stages">
      {STEPS.map((stage, index) => {
        const state =
          index < at ? "done" : index > at ? "todo" : batch.status === "failed" ? "failed" : "now";
        return (
          <li key={stage} class={state} {...(state === "now" ? { "aria-current": "step" } : {})}>
            <span class="step-mark">
              {state === "done" && <Icon name="check" size={12} />}
              {state === "failed" && <Icon name="close" size={12} />}
            </span>
            {words(stage)}
            <span class="visually-hidden">
              {{ done: ", done", failed: ", failed", now: ", running", todo: ", to do" }[state]}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
