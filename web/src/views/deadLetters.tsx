// What was rejected, why, and what stood in it; to be run again after the cause is gone, or set aside with a reason.
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { DeadLetter } from "../api/shapes";
import { ERROR_CODES, LETTER_STATUSES } from "../api/types";
import { Select, StatusBadge, TextFilter } from "../components/basics";
import { Icon } from "../components/icons";
import { Choice } from "../components/menu";
import { type Column, ListTable } from "../components/tableView";
import { Clock } from "../components/times";
import { UNKNOWN, words } from "../domain/format";
import { askPipelineNow, stats } from "../state/pipeline";
import { PagedList } from "../state/pagedList";
import { go, refine, route } from "../state/router";
import { question } from "../state/ask";
import { discardMatching, replayMatching } from "./deadLetterActions";
import { Groups } from "./deadLetterGroups";
import { DeadLetterPanel } from "./deadLetterPanel";

export function DeadLettersView() {
  const { open, query } = route.value;
  const { status = "open", errorCode = "", deviceId = "", batchId = "" } = query;
  const list = useMemo(
    () =>
      new PagedList<DeadLetter>((continuation) =>
        api.deadLetters({
          status: status === "any" ? "" : status,
          errorCode,
          deviceId,
          batchId,
          limit: 100,
          continuation,
        }),
      ),
    [status, errorCode, deviceId, batchId],
  );
  useEffect(() => list.start(), [list]);
  const refresh = () => {
    list.refresh();
    askPipelineNow();
  };
  const counts = stats.value?.deadLetterCodes ?? {};
  const filter = { errorCode, deviceId, batchId };
  const openOnes = stats.value?.deadLetters.open ?? 0;
  const none = openOnes === 0 || !["open", "any"].includes(status);
  return (
    <main id="main" class={`view${open ? " has-panel" : ""}`} tabIndex={-1}>
      <div class="view-main">
        <div class="view-head">
          <h1>Dead letters</h1>
          <div class="view-filters">
            <Select
              label="Status"
              value={status}
              onChange={(value) => refine({ status: value })}
              options={[...LETTER_STATUSES.map((name) => [name, words(name)] as const), ["any", "All"]]}
            />
            <Select
              label="Reason"
              value={errorCode}
              onChange={(value) => refine({ errorCode: value })}
              options={[
                ["", "All"],
                ...[...new Set<string>([...ERROR_CODES, ...Object.keys(counts), ...(errorCode ? [errorCode] : [])])].map(
                  (code) =>
                    [code, counts[code] ? `${words(code)} (${counts[code]})` : words(code)] as const,
                ),
              ]}
            />
            <TextFilter label="Device" value={deviceId} change={(value) => refine({ deviceId: value })} />
            <TextFilter label="Batch" value={batchId} change={(value) => refine({ batchId: value })} />
          </div>
          <Choice
            label="Show"
            value={query["show"] === "groups" ? "groups" : "letters"}
            options={[
              ["letters", "Letters"],
              ["groups", "Groups"],
            ]}
            choose={(show) => refine({ show: show === "groups" ? show : "" }, true)}
          />
          <div class="head-actions">
            <button
              type="button"
              class="quiet danger-text"
              disabled={none}
              onClick={() => (question.value = discardMatching(filter, refresh))}
            >
              <Icon name="trash" /> Discard all open
            </button>
            <button
              type="button"
              class="primary"
              disabled={none}
              onClick={() => (question.value = replayMatching(filter, refresh))}
            >
              <Icon name="replay" /> Replay all open
            </button>
          </div>
        </div>
        {query["show"] === "groups" ? (
          <Groups
            filter={filter}
            status={status === "any" ? "" : status}
            replay={(narrowed) => (question.value = replayMatching(narrowed, refresh))}
          />
        ) : (
          <ListTable
            view="deadletters"
            caption="Dead letters, newest first"
            list={list}
            columns={COLUMNS}
            empty="No dead letter matches."
          />
        )}
      </div>
      {open && (
        <DeadLetterPanel
          key={open}
          id={open}
          changed={refresh}
          close={() => go({ view: "deadletters", query })}
        />
      )}
    </main>
  );
}

const COLUMNS: readonly Column<DeadLetter>[] = [
  { head: "Rejected", cell: (letter) => <Clock time={letter.createdAt} /> },
  { head: "Status", cell: (letter) => <StatusBadge status={letter.status} /> },
  { head: "Reasons", look: () => "reasons", title: reasons, cell: reasons },
  { head: "Device", look: () => "mono", cell: (letter) => letter.deviceId ?? UNKNOWN },
  { head: "Partition", number: true, cell: (letter) => letter.partition },
  { head: "Sequence number", number: true, cell: (letter) => letter.sequenceNumber },
  { head: "Index", number: true, cell: (letter) => letter.index ?? UNKNOWN },
  { head: "Attempts", number: true, cell: (letter) => letter.attempts },
];

function reasons(letter: DeadLetter): string {
  return letter.errors
    .map(({ code, field }) => (field ? `${words(code)}: ${field}` : words(code)))
    .join("; ");
}
