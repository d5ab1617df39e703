// The ledger of batches: what came, how far it is, what failed and why; and running one again.
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Batch } from "../api/shapes";
import { BATCH_STATUSES } from "../api/types";
import { Clock, Select, StatusBadge } from "../components/basics";
import { Icon } from "../components/icons";
import { ListFrame } from "../components/listPage";
import { integer, UNKNOWN, words } from "../domain/format";
import { took } from "../domain/batch";
import { askPipelineNow, stats } from "../state/pipeline";
import { PagedList } from "../state/pagedList";
import { go, link, route } from "../state/router";
import { question } from "../state/ask";
import { replayFailed } from "./batchActions";
import { BatchPanel } from "./batchPanel";

export function BatchesView() {
  const { open, query } = route.value;
  const { status = "", partition = "" } = query;
  const list = useMemo(
    () =>
      new PagedList<Batch>((continuation) =>
        api.batches({ status, partition, limit: 100, continuation }),
      ),
    [status, partition],
  );
  useEffect(() => list.start(), [list]);

  const refresh = () => {
    list.refresh();
    askPipelineNow();
  };
  const filterBy = (part: Record<string, string>) =>
    go({ view: "batches", query: { ...query, ...part } });
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
              onChange={(value) => filterBy({ status: value })}
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
                onChange={(event) => filterBy({ partition: event.currentTarget.value.trim() })}
              />
            </label>
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
        <ListFrame list={list} empty="No batch matches.">
          <table class="grid">
            <caption class="visually-hidden">Batches, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Received</th>
                <th scope="col">Status</th>
                <th scope="col">Stage</th>
                <th scope="col" class="number">
                  Partition
                </th>
                <th scope="col" class="number">
                  Sequence numbers
                </th>
                <th scope="col" class="number">
                  Events
                </th>
                <th scope="col" class="number">
                  Messages
                </th>
                <th scope="col" class="number">
                  Stored
                </th>
                <th scope="col" class="number">
                  Duplicates
                </th>
                <th scope="col" class="number">
                  Rejected
                </th>
                <th scope="col" class="number">
                  Took
                </th>
                <th scope="col" class="number">
                  Attempts
                </th>
              </tr>
            </thead>
            <tbody>
              {list.items.value.map((batch) => (
                <BatchRow
                  key={batch.id}
                  batch={batch}
                  open={batch.id === open}
                  query={query}
                  at={list.answeredAt.value}
                />
              ))}
            </tbody>
          </table>
        </ListFrame>
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

function BatchRow({
  batch,
  open,
  query,
  at,
}: {
  batch: Batch;
  open: boolean;
  query: Record<string, string>;
  at: number;
}) {
  const rejected = batch.rejected ?? 0;
  return (
    <tr class={open ? "open" : ""}>
      <th scope="row">
        <a href={link({ view: "batches", open: batch.id, query })} {...(open ? { "aria-current": "true" } : {})}>
          <Clock time={batch.receivedAt} />
        </a>
      </th>
      <td>
        <StatusBadge status={batch.status} />
      </td>
      <td>{batch.stage ? words(batch.stage) : UNKNOWN}</td>
      <td class="number">{batch.partition}</td>
      <td class="number">
        {batch.firstSequenceNumber}–{batch.lastSequenceNumber}
      </td>
      <td class="number">{integer(batch.events)}</td>
      <td class="number">{integer(batch.messages)}</td>
      <td class="number">{integer(batch.stored)}</td>
      <td class="number">{integer(batch.duplicates)}</td>
      <td class={`number${rejected ? " warn-text" : ""}`}>{integer(batch.rejected)}</td>
      <td class="number">{took(batch, at)}</td>
      <td class="number">{batch.attempts}</td>
    </tr>
  );
}
