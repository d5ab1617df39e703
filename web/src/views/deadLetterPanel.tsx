// One dead letter: every broken rule, the body decoded, where it came from, and what can be done.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { DeadLetter } from "../api/shapes";
import { Clock, Empty, Problem, StatusBadge } from "../components/basics";
import { Icon } from "../components/icons";
import { Facts, SidePanel } from "../components/listPage";
import { decodeBody, type BodyView, type DecodedBody } from "../domain/body";
import { integer, UNKNOWN } from "../domain/format";
import { link } from "../state/router";
import { question } from "../state/ask";
import { discardLetter, ErrorList, replayLetter } from "./deadLetterActions";

export function DeadLetterPanel({
  id,
  close,
  changed,
}: {
  id: string;
  close: () => void;
  changed: () => void;
}) {
  const letter = useSignal<DeadLetter | null>(null);
  const problem = useSignal<unknown>(null);
  const load = async () => {
    try {
      letter.value = await api.deadLetter(id);
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  useEffect(() => void load(), [id]);
  const known = letter.value;
  const done = () => {
    void load();
    changed();
  };
  return (
    <SidePanel title="Dead letter" label={`Dead letter ${id}`} close={close}>
      {problem.value !== null && <Problem problem={problem.value} retry={() => void load()} />}
      {!known && problem.value === null && <Empty>Asking for the dead letter…</Empty>}
      {known && <Contents letter={known} changed={done} />}
    </SidePanel>
  );
}

function Contents({ letter, changed }: { letter: DeadLetter; changed: () => void }) {
  const open = letter.status === "open";
  return (
    <>
      <div class="detail-status">
        <StatusBadge status={letter.status} />
        <span class="muted">
          rejected <Clock time={letter.createdAt} />
        </span>
        {letter.resolvedAt && (
          <span class="muted">
            , {letter.status} <Clock time={letter.resolvedAt} />
          </span>
        )}
      </div>
      {letter.reason && <p class="quote">{letter.reason}</p>}
      <section aria-label="Reasons">
        <h3>Why it was rejected</h3>
        <ErrorList errors={letter.errors} />
      </section>
      {open && (
        <div class="actions">
          <button
            type="button"
            class="primary"
            onClick={() => (question.value = replayLetter(letter, changed))}
          >
            <Icon name="replay" /> Replay
          </button>
          <button
            type="button"
            class="quiet danger-text"
            onClick={() => (question.value = discardLetter(letter, changed))}
          >
            <Icon name="trash" /> Discard
          </button>
        </div>
      )}
      <BodyViewer base64={letter.body} />
      <Facts
        facts={[
          ["Device", letter.deviceId ?? UNKNOWN],
          ["Hub", letter.hub],
          ["Partition", letter.partition],
          ["Sequence number", letter.sequenceNumber],
          ["Offset", letter.offset ?? UNKNOWN],
          ["Index in the event", letter.index ?? "whole event"],
          ["Enqueued", <Clock key="e" time={letter.enqueuedAt} />],
          ["Attempts", letter.attempts],
          [
            "Batch",
            letter.batchId ? (
              <a key="b" class="mono break" href={link({ view: "batches", open: letter.batchId })}>
                {letter.batchId}
              </a>
            ) : (
              UNKNOWN
            ),
          ],
          ["Id", <span key="i" class="mono break">{letter.id}</span>],
        ]}
      />
    </>
  );
}

const NAMES: Record<BodyView, string> = { json: "JSON", text: "Text", hex: "Hex" };

function BodyViewer({ base64 }: { base64: string }) {
  const body = useSignal<DecodedBody | "unreadable" | null>(null);
  const chosen = useSignal<BodyView | null>(null);
  useEffect(() => {
    let wanted = true;
    void decodeBody(base64).then((decoded) => {
      if (wanted) body.value = decoded ?? "unreadable";
    });
    return () => {
      wanted = false;
    };
  }, [base64]);
  const decoded = body.value;
  if (decoded === null) return null;
  if (decoded === "unreadable") return <Empty>The body is not base64.</Empty>;
  if (decoded.size === 0) return <Empty>The body is empty.</Empty>;
  const view = chosen.value ?? decoded.best;
  const text = { json: decoded.json, text: decoded.text, hex: decoded.hex }[view] ?? "";
  return (
    <section aria-label="Body">
      <div class="body-head">
        <h3>Body</h3>
        <span class="muted small">
          {integer(decoded.size)} bytes
          {decoded.gzip && `, gzip, ${integer(decoded.unpackedSize)} unpacked`}
        </span>
        <div class="segments small" role="group" aria-label="Show the body as">
          {(["json", "text", "hex"] as const).map((name) => (
            <button
              key={name}
              type="button"
              disabled={decoded[name] === null}
              aria-pressed={view === name}
              onClick={() => (chosen.value = name)}
            >
              {NAMES[name]}
            </button>
          ))}
        </div>
      </div>
      <pre class="body-text" tabIndex={0} aria-label={`Body as ${NAMES[view]}`}>
        {text}
      </pre>
    </section>
  );
}
