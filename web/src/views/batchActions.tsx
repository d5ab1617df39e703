// Running batches again: what the page asks before it does, and what it says afterwards.
import { api } from "../api/client";
import type { Batch } from "../api/shapes";
import type { Question } from "../state/ask";
import { integer, plural, words } from "../domain/format";

const POLL_MS = 700;
const PATIENCE_MS = 120_000;
const AT_ONCE = 1000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks for the batch until it has ended, telling its stage; what it is then, or as far as it came. */
async function watch(id: string, progress: (text: string) => void): Promise<Batch> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const batch = await api.batch(id);
    if (batch.status === "completed" || batch.status === "failed" || Date.now() > until) return batch;
    progress(`Attempt ${batch.attempts}: ${words(batch.stage ?? batch.status)}…`);
    await pause(POLL_MS);
  }
}

export function replayOne(batch: Batch, changed: () => void): Question {
  return {
    title: "Replay this batch?",
    body: (
      <p>
        The {plural(batch.events, "event")} of partition {batch.partition} ({batch.firstSequenceNumber}–
        {batch.lastSequenceNumber}) run through the pipeline again. What is stored already is not stored
        twice.
      </p>
    ),
    action: "Replay",
    run: async (_reason, progress) => {
      await api.replayBatch(batch.id);
      changed();
      const ended = await watch(batch.id, progress);
      changed();
      if (ended.status === "completed") {
        return (
          <p class="good">
            Completed: {integer(ended.stored)} stored, {integer(ended.duplicates)} duplicates,{" "}
            {integer(ended.rejected)} rejected.
          </p>
        );
      }
      if (ended.status === "failed") {
        return (
          <>
            <p class="wrong">Failed again{ended.stage ? ` at “${words(ended.stage)}”` : ""}.</p>
            {ended.error && <pre class="error-text">{ended.error}</pre>}
          </>
        );
      }
      return <p>Still {ended.status}. The list shows when it ends.</p>;
    },
  };
}

export function replayFailed(failed: number, changed: () => void): Question {
  return {
    title: "Replay all failed batches?",
    body: (
      <p>
        {plural(failed, "batch", "batches")} {failed === 1 ? "runs" : "run"} through the pipeline again,
        at most {integer(AT_ONCE)} at once. What is stored already is not stored twice.
      </p>
    ),
    action: "Replay all",
    run: async (_reason, progress) => {
      const { replayed, skipped } = await api.replayBatches({ status: "failed", limit: AT_ONCE });
      changed();
      const done = { completed: 0, failed: 0, open: 0 };
      const counted = () =>
        `${done.completed + done.failed} of ${integer(replayed.length)} ended: ` +
        `${done.completed} completed, ${done.failed} failed again.`;
      for (const id of replayed) {
        progress(counted());
        const { status } = await watch(id, () => {});
        if (status === "completed" || status === "failed") done[status] += 1;
        else done.open += 1;
      }
      changed();
      return (
        <>
          <p class={done.failed ? "wrong" : "good"}>{counted()}</p>
          {done.open > 0 && <p>{plural(done.open, "batch", "batches")} still running.</p>}
          {skipped.length > 0 && (
            <p>{plural(skipped.length, "batch", "batches")} skipped: running or changed meanwhile.</p>
          )}
        </>
      );
    },
  };
}
