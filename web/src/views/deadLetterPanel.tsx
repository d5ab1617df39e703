// One dead letter: every broken rule, the body decoded, where it came from, and what can be done.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { Correction, DeadLetter } from "../api/shapes";
import { Empty, Problem, StatusBadge } from "../components/basics";
import { Icon } from "../components/icons";
import { Id } from "../components/id";
import { Facts, SidePanel } from "../components/listPage";
import { Clock } from "../components/times";
import { decodeBody } from "../domain/body";
import { integer, plural, UNKNOWN } from "../domain/format";
import { link } from "../state/router";
import { question } from "../state/ask";
import { BodyViewer } from "./bodyViewer";
import { discardLetter, ErrorList, replayLetter } from "./deadLetterActions";
import { Editor } from "./deadLetterEditor";

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

// For what nobody could read: the least that a message needs.
const TEMPLATE = '{\n  "deviceId": ""\n}';

function Contents({ letter, changed }: { letter: DeadLetter; changed: () => void }) {
  const open = letter.status === "open";
  const editing = useSignal<string | null>(null);
  const edit = async () => {
    const body = await decodeBody(letter.body);
    editing.value = body?.json ?? body?.text ?? TEMPLATE;
  };
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
      {letter.correction && <Corrected correction={letter.correction} />}
      {open && editing.value !== null && (
        <Editor
          letter={letter}
          text={editing.value}
          close={() => (editing.value = null)}
          sent={() => {
            editing.value = null;
            changed();
          }}
        />
      )}
      {open && editing.value === null && (
        <div class="actions">
          <button
            type="button"
            class="primary"
            onClick={() => (question.value = replayLetter(letter, changed))}
          >
            <Icon name="replay" /> Replay
          </button>
          <button type="button" class="quiet" onClick={() => void edit()}>
            <Icon name="edit" /> Correct a copy
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
      <BodyViewer title={letter.correction ? "Body as it came" : "Body"} base64={letter.body} />
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
          ["Id", <Id key="i" value={letter.id} what="dead letter's id" />],
        ]}
      />
    </>
  );
}

/** What became of it: the copy that was stored in its place, and where its messages are. */
function Corrected({ correction }: { correction: Correction }) {
  const rest = correction.count - correction.messages.length;
  return (
    <section aria-label="Correction">
      <h3>Answered by a corrected copy</h3>
      <p>
        <Clock time={correction.at} />
        {correction.by !== null && `, by ${correction.by}`}: {plural(correction.count, "message")}, stored or known
        already.
      </p>
      <ul class="became">
        {correction.messages.map((message) => (
          <li key={message.id}>
            <a class="mono" href={link({ view: "fleet", open: message.deviceId })}>
              {message.deviceId}
            </a>{" "}
            <Clock time={message.time} /> <Id value={message.id} what="message's id" />
          </li>
        ))}
        {rest > 0 && <li class="muted">and {integer(rest)} more</li>}
      </ul>
      <BodyViewer title="Copy" base64={correction.body} />
    </section>
  );
}
