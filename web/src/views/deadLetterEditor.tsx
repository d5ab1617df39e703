// A copy of what was rejected, to be put right: judged by the server while one types, by the rules that judge everything.
import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { api } from "../api/client";
import { ApiProblem, explain } from "../api/problem";
import type { CheckedCopy, DeadLetter } from "../api/shapes";
import { plural } from "../domain/format";
import { moment } from "../state/display";
import { ErrorList, ruleError } from "./deadLetterActions";

const PAUSE_MS = 350;

export function Editor(props: { letter: DeadLetter; text: string; close: () => void; sent: () => void }) {
  const { letter, close, sent } = props;
  const text = useSignal(props.text);
  const checked = useSignal<CheckedCopy | null>(null);
  const problem = useSignal<unknown>(null);
  const sending = useSignal(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const hint = useId();

  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => void check(), PAUSE_MS);
    const check = async () => {
      try {
        const answer = await api.checkCopy(letter.id, text.value);
        if (wanted) [checked.value, problem.value] = [answer, null];
      } catch (error) {
        if (wanted) [checked.value, problem.value] = [null, error];
      }
    };
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text.value, letter.id]);

  const send = async () => {
    sending.value = true;
    try {
      await api.correctDeadLetter(letter.id, text.value);
      sent();
    } catch (error) {
      const errors = error instanceof ApiProblem ? error.errors.map(ruleError).filter((one) => one !== null) : [];
      if (errors.length > 0) checked.value = { accepted: 0, messages: [], errors };
      else problem.value = error;
    }
    sending.value = false;
  };

  const verdict = checked.value;
  const accepted = verdict !== null && verdict.accepted > 0;
  return (
    <section class="editor" aria-label="Corrected copy">
      <h3>Corrected copy</h3>
      <textarea
        ref={field}
        rows={12}
        spellcheck={false}
        autocomplete="off"
        aria-label="The message as it should have been, JSON"
        aria-invalid={verdict !== null && !accepted}
        aria-describedby={hint}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          checked.value = null;
        }}
        onKeyDown={(event) => {
          // The panel closes on Escape; what was typed would be gone.
          if (event.key === "Escape") event.stopPropagation();
        }}
      />
      <div id={hint} aria-live="polite">
        <Verdict verdict={verdict} problem={problem.value} />
      </div>
      <div class="actions">
        <button type="button" class="primary" disabled={!accepted || sending.value} onClick={() => void send()}>
          {sending.value ? "Sending…" : "Store in its place"}
        </button>
        <button type="button" class="quiet" onClick={close}>
          Cancel
        </button>
      </div>
      <p class="muted small">
        The rejected message stays as it came. The copy is stored under its delivery, and the two name each other.
      </p>
    </section>
  );
}

function Verdict({ verdict, problem }: { verdict: CheckedCopy | null; problem: unknown }) {
  if (problem !== null) return <p class="wrong">{explain(problem)}</p>;
  if (verdict === null) return <p class="muted">Checking…</p>;
  if (verdict.errors.length > 0) {
    return (
      <>
        <p class="wrong">Still rejected: {plural(verdict.errors.length, "rule")} broken.</p>
        <ErrorList errors={verdict.errors} />
      </>
    );
  }
  if (verdict.accepted === 0) return <p class="wrong">It holds no message. Discard the dead letter instead.</p>;
  const [first] = verdict.messages;
  return (
    <p class="good">
      Accepted: {plural(verdict.accepted, "message")}
      {first && ` of ${first.deviceId}, ${moment(first.time)}`}
    </p>
  );
}
