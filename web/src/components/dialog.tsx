// A question before something is done, and what became of it. The browser's own dialog keeps the focus inside and gives
// it back, and closes on Escape.
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Question } from "../state/ask";
import { Problem } from "./basics";

type Stage =
  | { name: "asking" }
  | { name: "running"; text: string; share: number | null }
  | { name: "done"; result: ComponentChildren }
  | { name: "failed"; problem: unknown };

export function Dialog({ question, close }: { question: Question; close: () => void }) {
  const element = useRef<HTMLDialogElement>(null);
  const title = useId();
  const hint = useId();
  const [stage, setStage] = useState<Stage>({ name: "asking" });
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const stopped = useRef(false);
  const [stopping, setStopping] = useState(false);

  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);

  const run = async () => {
    if (question.reason && !question.reason.optional && !reason.trim()) return setMissing(true);
    setStage({ name: "running", text: "Asking the server…", share: null });
    try {
      const result = await question.run(
        reason.trim(),
        (text, share) => setStage({ name: "running", text, share: share ?? null }),
        () => stopped.current,
      );
      setStage({ name: "done", result });
    } catch (problem) {
      setStage({ name: "failed", problem });
    }
  };

  const running = stage.name === "running";
  return (
    <dialog ref={element} class="dialog" aria-labelledby={title} onClose={close}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (stage.name === "asking") void run();
          else element.current?.close();
        }}
      >
        <h2 id={title}>{question.title}</h2>
        {stage.name === "asking" && <div class="dialog-body">{question.body}</div>}
        {stage.name === "asking" && question.reason && (
          <label class="field block">
            <span>{question.reason.label}</span>
            <input
              type="text"
              value={reason}
              maxLength={500}
              aria-invalid={missing}
              aria-describedby={hint}
              onInput={(event) => {
                setReason(event.currentTarget.value);
                setMissing(false);
              }}
            />
            <small id={hint} class={missing ? "wrong" : ""}>
              {missing ? `Say why. ${question.reason.hint}` : question.reason.hint}
            </small>
          </label>
        )}
        <div aria-live="polite">
          {running && (
            <div class="dialog-body">
              <Bar label={question.action} share={stage.share} />
              <p>{stage.text}</p>
            </div>
          )}
          {stage.name === "done" && <div class="dialog-body">{stage.result}</div>}
          {stage.name === "failed" && <Problem problem={stage.problem} />}
        </div>
        <div class="dialog-buttons">
          {stage.name === "asking" && (
            <button type="button" class="quiet" onClick={() => element.current?.close()}>
              Cancel
            </button>
          )}
          {running && question.stoppable && (
            <button
              type="button"
              class="quiet"
              disabled={stopping}
              onClick={() => {
                stopped.current = true;
                setStopping(true);
              }}
            >
              {stopping ? "Stopping…" : "Stop"}
            </button>
          )}
          {stage.name === "asking" ? (
            <button type="submit" class={question.danger ? "danger" : "primary"}>
              {question.action}
            </button>
          ) : (
            <button type="submit" class="primary">
              {running ? "Go on in the background" : "Close"}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

/** Of a known share, or only moving. */
function Bar({ label, share }: { label: string; share: number | null }) {
  if (share === null) return <div class="bar" role="progressbar" aria-label={label} />;
  const percent = Math.round(100 * share);
  return (
    <div
      class="bar known"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}
