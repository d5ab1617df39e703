// Replaying and discarding dead letters.
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { DeadLetter, RuleError } from "../api/shapes";
import type { Question } from "../state/ask";
import { plural, words } from "../domain/format";

/** A rule's error as sent in a problem document, or null when it is none. */
export function ruleError(value: unknown): RuleError | null {
  if (typeof value !== "object" || value === null) return null;
  const { code } = value as { code?: unknown };
  return typeof code === "string" ? (value as RuleError) : null;
}

export function ErrorList({ errors }: { errors: readonly RuleError[] }) {
  return (
    <ul class="rule-errors">
      {errors.map((error, at) => (
        <li key={at}>
          <strong>{words(error.code)}</strong>
          {error.field && <code>{error.field}</code>}
          {error.value !== undefined && error.value !== null && (
            <code class="value break">{JSON.stringify(error.value)}</code>
          )}
          {error.detail && <span class="muted">{error.detail}</span>}
        </li>
      ))}
    </ul>
  );
}

export function replayLetter(letter: DeadLetter, changed: () => void): Question {
  return {
    title: "Replay this dead letter?",
    body: <p>It runs through today’s rules and settings. When it passes, its message is stored.</p>,
    action: "Replay",
    run: async () => {
      try {
        await api.replayDeadLetter(letter.id);
      } catch (problem) {
        if (!(problem instanceof ApiProblem) || problem.kind !== "conflict") throw problem;
        const errors = problem.errors.map(ruleError).filter((error) => error !== null);
        if (errors.length === 0) throw problem;
        return (
          <>
            <p class="wrong">Still rejected. It stays open.</p>
            <ErrorList errors={errors} />
          </>
        );
      } finally {
        changed();
      }
      return <p class="good">Accepted: its message is stored.</p>;
    },
  };
}

export function discardLetter(letter: DeadLetter, changed: () => void): Question {
  return {
    title: "Discard this dead letter?",
    body: <p>It is set aside for good and cannot be replayed afterwards. The record stays.</p>,
    action: "Discard",
    danger: true,
    reason: { label: "Reason", hint: "Kept with the record, for whoever asks later." },
    run: async (reason) => {
      await api.discardDeadLetter(letter.id, reason);
      changed();
      return <p class="good">Discarded.</p>;
    },
  };
}

export function replayMatching(filter: Record<string, string>, changed: () => void): Question {
  const chosen = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
  const names: Record<string, string> = { errorCode: "reason", deviceId: "device", batchId: "batch" };
  return {
    title: "Replay all open dead letters?",
    body: (
      <>
        <p>Each runs through today’s rules and settings; those that pass are stored.</p>
        {Object.entries(chosen).length > 0 && (
          <ul>
            {Object.entries(chosen).map(([name, value]) => (
              <li key={name}>
                Only {names[name]} <span class="mono break">{value}</span>
              </li>
            ))}
          </ul>
        )}
      </>
    ),
    action: "Replay all",
    run: async () => {
      const { replayed, stillRejected, skipped } = await api.replayDeadLetters({
        ...chosen,
        status: "open",
      });
      changed();
      return (
        <>
          <p class={stillRejected ? "" : "good"}>
            {plural(replayed, "dead letter")} accepted and stored.
          </p>
          {stillRejected > 0 && <p class="wrong">{plural(stillRejected, "dead letter")} still rejected.</p>}
          {skipped > 0 && <p>{plural(skipped, "dead letter")} skipped.</p>}
        </>
      );
    },
  };
}
