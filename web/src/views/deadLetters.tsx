// What was rejected, why, and what stood in it; to be run again after the cause is gone, or set aside with a reason.
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { DeadLetter } from "../api/shapes";
import { ERROR_CODES, LETTER_STATUSES } from "../api/types";
import { Clock, Select, StatusBadge, TextFilter } from "../components/basics";
import { Icon } from "../components/icons";
import { ListFrame } from "../components/listPage";
import { UNKNOWN, words } from "../domain/format";
import { askPipelineNow, stats } from "../state/pipeline";
import { PagedList } from "../state/pagedList";
import { go, link, route } from "../state/router";
import { question } from "../state/ask";
import { replayMatching } from "./deadLetterActions";
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
  const filterBy = (part: Record<string, string>) =>
    go({ view: "deadletters", query: { ...query, ...part } });
  const counts = stats.value?.deadLetterCodes ?? {};
  return (
    <main id="main" class={`view${open ? " has-panel" : ""}`} tabIndex={-1}>
      <div class="view-main">
        <div class="view-head">
          <h1>Dead letters</h1>
          <div class="view-filters">
            <Select
              label="Status"
              value={status}
              onChange={(value) => filterBy({ status: value })}
              options={[...LETTER_STATUSES.map((name) => [name, words(name)] as const), ["any", "All"]]}
            />
            <Select
              label="Reason"
              value={errorCode}
              onChange={(value) => filterBy({ errorCode: value })}
              options={[
                ["", "All"],
                ...[...new Set<string>([...ERROR_CODES, ...Object.keys(counts), ...(errorCode ? [errorCode] : [])])].map(
                  (code) =>
                    [code, counts[code] ? `${words(code)} (${counts[code]})` : words(code)] as const,
                ),
              ]}
            />
            <TextFilter label="Device" value={deviceId} change={(value) => filterBy({ deviceId: value })} />
            <TextFilter label="Batch" value={batchId} change={(value) => filterBy({ batchId: value })} />
          </div>
          <button
            type="button"
            class="primary"
            disabled={list.items.value.length === 0 || !["open", "any"].includes(status)}
            onClick={() =>
              (question.value = replayMatching({ errorCode, deviceId, batchId }, refresh))
            }
          >
            <Icon name="replay" /> Replay all open
          </button>
        </div>
        <ListFrame list={list} empty="No dead letter matches.">
          <table class="grid">
            <caption class="visually-hidden">Dead letters, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Rejected</th>
                <th scope="col">Status</th>
                <th scope="col">Reasons</th>
                <th scope="col">Device</th>
                <th scope="col" class="number">
                  Partition
                </th>
                <th scope="col" class="number">
                  Sequence number
                </th>
                <th scope="col" class="number">
                  Index
                </th>
                <th scope="col" class="number">
                  Attempts
                </th>
              </tr>
            </thead>
            <tbody>
              {list.items.value.map((letter) => (
                <tr key={letter.id} class={letter.id === open ? "open" : ""}>
                  <th scope="row">
                    <a
                      href={link({ view: "deadletters", open: letter.id, query })}
                      {...(letter.id === open ? { "aria-current": "true" } : {})}
                    >
                      <Clock time={letter.createdAt} />
                    </a>
                  </th>
                  <td>
                    <StatusBadge status={letter.status} />
                  </td>
                  <td class="reasons">{reasons(letter)}</td>
                  <td class="mono">{letter.deviceId ?? UNKNOWN}</td>
                  <td class="number">{letter.partition}</td>
                  <td class="number">{letter.sequenceNumber}</td>
                  <td class="number">{letter.index ?? UNKNOWN}</td>
                  <td class="number">{letter.attempts}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ListFrame>
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

function reasons(letter: DeadLetter): string {
  return letter.errors
    .map(({ code, field }) => (field ? `${words(code)}: ${field}` : words(code)))
    .join("; ");
}
