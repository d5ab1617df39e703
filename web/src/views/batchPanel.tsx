// One batch: its stage, its counts, its error in full, the durable orchestration behind it, and what can be done.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { Batch } from "../api/shapes";
import { Empty, Problem, StatusBadge } from "../components/basics";
import { Icon } from "../components/icons";
import { Id } from "../components/id";
import { Facts, SidePanel } from "../components/listPage";
import { Clock } from "../components/times";
import { took } from "../domain/batch";
import { integer, UNKNOWN, words } from "../domain/format";
import { safeUrl } from "../domain/url";
import { serverNow } from "../state/clock";
import { Poller } from "../state/poller";
import { link } from "../state/router";
import { question } from "../state/ask";
import { replayOne } from "./batchActions";
import { BatchCourse } from "./batchCourse";

const EVERY_MS = 1500;

export function BatchPanel({
  id,
  close,
  changed,
}: {
  id: string;
  close: () => void;
  changed: () => void;
}) {
  const batch = useSignal<Batch | null>(null);
  const problem = useSignal<unknown>(null);
  const at = useSignal(0);
  useEffect(() => {
    const poller = new Poller(
      async () => {
        batch.value = await api.batch(id);
        at.value = serverNow();
      },
      EVERY_MS,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    return () => poller.stop();
  }, [id]);
  const known = batch.value;
  return (
    <SidePanel title="Batch" label={`Batch ${id}`} close={close}>
      {problem.value !== null && <Problem problem={problem.value} />}
      {!known && problem.value === null && <Empty>Asking for the batch…</Empty>}
      {known && <Body batch={known} at={at.value} changed={changed} />}
    </SidePanel>
  );
}

function Body({ batch, at, changed }: { batch: Batch; at: number; changed: () => void }) {
  const running = batch.status === "received" || batch.status === "running";
  return (
    <>
      <Id value={batch.id} what="batch's id" />
      <div class="detail-status">
        <StatusBadge status={batch.status} />
        <span class="muted">attempt {batch.attempts}</span>
      </div>
      <BatchCourse batch={batch} />
      {batch.error && (
        <section aria-label="Error">
          <h3>Error{batch.stage ? ` at “${words(batch.stage)}”` : ""}</h3>
          <pre class="error-text" tabIndex={0}>
            {batch.error}
          </pre>
        </section>
      )}
      <div class="actions">
        <button
          type="button"
          class="primary"
          disabled={running}
          onClick={() => (question.value = replayOne(batch, changed))}
        >
          <Icon name="replay" /> Replay
        </button>
        {batch.statusQueryGetUri && (
          <a class="button quiet" href={safeUrl(batch.statusQueryGetUri)} target="_blank" rel="noopener">
            Durable status <Icon name="external" size={12} />
          </a>
        )}
        {(batch.rejected ?? 0) > 0 && (
          <a class="button quiet" href={link({ view: "deadletters", query: { batchId: batch.id, status: "any" } })}>
            Its dead letters
          </a>
        )}
      </div>
      {running && <p class="muted small">A batch can be replayed when it has ended.</p>}
      <Facts
        facts={[
          ["Messages", integer(batch.messages)],
          ["Stored", integer(batch.stored)],
          ["Duplicates", integer(batch.duplicates)],
          ["Rejected", integer(batch.rejected)],
          ["Events", integer(batch.events)],
          ["Hub", batch.hub],
          ["Partition", batch.partition],
          ["Sequence numbers", `${batch.firstSequenceNumber}–${batch.lastSequenceNumber}`],
          ["Received", <Clock key="r" time={batch.receivedAt} />],
          ["Ended", batch.completedAt ? <Clock key="c" time={batch.completedAt} /> : UNKNOWN],
          ["Took", took(batch, at)],
          [
            "Instance",
            <span key="i">
              <Id value={batch.instanceId} what="instance's id" />{" "}
              <a href={link({ view: "instances", open: batch.instanceId })}>Open</a>
            </span>,
          ],
        ]}
      />
    </>
  );
}
