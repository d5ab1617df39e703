// The ledger of batches: what came, how far it is, what failed and why; and running one again.
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Batch } from "../api/shapes";
import { BATCH_STATUSES } from "../api/types";
import { Select, StatusBadge } from "../components/basics";
import { Icon } from "../components/icons";
import { Period } from "../components/period";
import { type Column, ListTable } from "../components/tableView";
import { Clock } from "../components/times";
import { integer, UNKNOWN, words } from "../domain/format";
import { took } from "../domain/batch";
import { boundsOf } from "../domain/period";
import { serverNow } from "../state/clock";
import { askPipelineNow, stats } from "../state/pipeline";
import { PagedList } from "../state/pagedList";
import { go, refine, route } from "../state/router";
import { question } from "../state/ask";
import { replayFailed } from "./batchActions";
import { BatchPanel } from "./batchPanel";

export function BatchesView() {
  const { open, query } = route.value;
  const { status = "", partition = "", last = "", from = "", to = "" } = query;
  const list = useMemo(() => {
    let bounds = boundsOf(query, serverNow());
    return new PagedList<Batch>((continuation, anew) => {
      if (anew) bounds = boundsOf(query, serverNow());
      return api.batches({ status, partition, ...bounds, limit: 100, continuation });
    });
  }, [status, partition, last, from, to]);
  useEffect(() => list.start(), [list]);

  const refresh = () => {
    list.refresh();
    askPipelineNow();
  };
  const failed = stats.value?.batches.failed ?? 0;

  return (
    <main id="main" class={`view${open ? " has-panel" : ""}`} tabIndex={-1}>
      <div class="view-main">
        <div class="view-head">
          <h1>Batches</h1>
          <div class="view-filters">
            <Select
              label="Status"
              value={status}
              onChange={(value) => refine({ status: value })}
              options={[
                ["", "All"],
                ...BATCH_STATUSES.map((name) => [name, words(name)] as const),
              ]}
            />
            <label class="field">
              <span>Partition</span>
              <input
                type="text"
                inputMode="numeric"
                class="short"
                value={partition}
                maxLength={20}
                placeholder="All"
                onChange={(event) => refine({ partition: event.currentTarget.value.trim() })}
              />
            </label>
            <Period label="Received" query={query} refine={refine} />
          </div>
          <button
            type="button"
            class="primary"
            disabled={failed === 0}
            onClick={() => (question.value = replayFailed(failed, refresh))}
          >
            <Icon name="replay" /> Replay all failed{failed > 0 && ` (${integer(failed)})`}
          </button>
        </div>
        <ListTable
          view="batches"
          caption="Batches, newest first"
          list={list}
          columns={columns(list)}
          empty="No batch matches."
        />
      </div>
      {open && (
        <BatchPanel
          key={open}
          id={open}
          changed={refresh}
          close={() => go({ view: "batches", query })}
        />
      )}
    </main>
  );
}

const columns = (list: PagedList<Batch>): readonly Column<Batch>[] => [
  { head: "Received", cell: (batch) => <Clock time={batch.receivedAt} /> },
  { head: "Status", cell: (batch) => <StatusBadge status={batch.status} /> },
  { head: "Stage", cell: (batch) => (batch.stage ? words(batch.stage) : UNKNOWN) },
  {
    head: "Error",
    look: () => "error-cell",
    title: (batch) => batch.error ?? "",
    cell: (batch) => batch.error ?? "",
  },
  { head: "Partition", number: true, cell: (batch) => batch.partition },
  {
    head: "Sequence numbers",
    number: true,
    cell: (batch) => `${batch.firstSequenceNumber}–${batch.lastSequenceNumber}`,
  },
  { head: "Events", number: true, cell: (batch) => integer(batch.events) },
  { head: "Messages", number: true, cell: (batch) => integer(batch.messages) },
  { head: "Stored", number: true, cell: (batch) => integer(batch.stored) },
  { head: "Duplicates", number: true, cell: (batch) => integer(batch.duplicates) },
  {
    head: "Rejected",
    number: true,
    look: (batch) => (batch.rejected ? "warn-text" : ""),
    cell: (batch) => integer(batch.rejected),
  },
  { head: "Took", number: true, cell: (batch) => took(batch, list.answeredAt.value) },
  { head: "Attempts", number: true, cell: (batch) => batch.attempts },
];
