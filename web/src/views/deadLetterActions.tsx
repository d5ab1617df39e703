// Replaying and discarding dead letters.
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { DeadLetter, Page, RuleError } from "../api/shapes";
import type { Progress, Question } from "../state/ask";
import { integer, plural, words } from "../domain/format";

const GATHERED = 1000;
const PORTION = 20;

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

const names: Record<string, string> = { errorCode: "reason", deviceId: "device", batchId: "batch" };

function Chosen({ filter }: { filter: Readonly<Record<string, string>> }) {
  const chosen = Object.entries(filter).filter(([, value]) => value !== "");
  if (chosen.length === 0) return null;
  return (
    <ul>
      {chosen.map(([name, value]) => (
        <li key={name}>
          Only {names[name]} <span class="mono break">{name === "errorCode" ? words(value) : value}</span>
        </li>
      ))}
    </ul>
  );
}

/** The ids of all open letters that match, gathered before anything is done to them: what is done moves the pages. */
async function openOnes(filter: Record<string, string>, progress: Progress, stopped: () => boolean) {
  const ids: string[] = [];
  let continuation: string | null = null;
  do {
    const page: Page<DeadLetter> = await api.deadLetters({ ...filter, status: "open", limit: GATHERED, continuation });
    ids.push(...page.items.map((letter) => letter.id));
    continuation = page.continuation;
    progress(`Found ${plural(ids.length, "dead letter")}…`);
  } while (continuation !== null && !stopped());
  return ids;
}

/** Does it to a few at a time, and says how far it is; how many were not come to. */
async function inPortions(
  ids: readonly string[],
  work: (portion: readonly string[]) => Promise<void>,
  said: () => string,
  progress: Progress,
  stopped: () => boolean,
): Promise<number> {
  let at = 0;
  while (at < ids.length && !stopped()) {
    progress(`${integer(at)} of ${integer(ids.length)}: ${said()}`, at / ids.length);
    await work(ids.slice(at, at + PORTION));
    at = Math.min(at + PORTION, ids.length);
  }
  return ids.length - at;
}

const Left = ({ count }: { count: number }) =>
  count > 0 ? <p>Stopped: {plural(count, "dead letter")} not come to.</p> : null;

export function replayMatching(filter: Record<string, string>, changed: () => void): Question {
  return {
    title: "Replay all open dead letters?",
    body: (
      <>
        <p>Each runs through today’s rules and settings; those that pass are stored.</p>
        <Chosen filter={filter} />
      </>
    ),
    action: "Replay all",
    stoppable: true,
    run: async (_reason, progress, stopped) => {
      const done = { replayed: 0, stillRejected: 0, skipped: 0 };
      const ids = await openOnes(filter, progress, stopped);
      const left = await inPortions(
        ids,
        async (portion) => {
          const { replayed, stillRejected, skipped } = await api.replayDeadLetters(portion);
          done.replayed += replayed;
          done.stillRejected += stillRejected;
          done.skipped += skipped;
          changed();
        },
        () => `${integer(done.replayed)} accepted, ${integer(done.stillRejected)} still rejected`,
        progress,
        stopped,
      );
      return (
        <>
          <p class={done.stillRejected || left ? "" : "good"}>
            {plural(done.replayed, "dead letter")} accepted and stored.
          </p>
          {done.stillRejected > 0 && (
            <p class="wrong">{plural(done.stillRejected, "dead letter")} still rejected.</p>
          )}
          {done.skipped > 0 && <p>{plural(done.skipped, "dead letter")} skipped: answered meanwhile.</p>}
          <Left count={left} />
        </>
      );
    },
  };
}

export function discardMatching(filter: Record<string, string>, changed: () => void): Question {
  return {
    title: "Discard all open dead letters?",
    body: (
      <>
        <p>They are set aside for good and cannot be replayed afterwards. The records stay.</p>
        <Chosen filter={filter} />
      </>
    ),
    action: "Discard all",
    danger: true,
    reason: { label: "Reason", hint: "Kept with each record, for whoever asks later." },
    stoppable: true,
    run: async (reason, progress, stopped) => {
      const done = { discarded: 0, skipped: 0 };
      const ids = await openOnes(filter, progress, stopped);
      const one = async (id: string) => {
        try {
          await api.discardDeadLetter(id, reason);
          done.discarded += 1;
        } catch (problem) {
          // Replayed, or gone, since it was found.
          if (!(problem instanceof ApiProblem) || !["conflict", "missing"].includes(problem.kind)) throw problem;
          done.skipped += 1;
        }
      };
      const left = await inPortions(
        ids,
        async (portion) => {
          await Promise.all(portion.map(one));
          changed();
        },
        () => `${integer(done.discarded)} discarded`,
        progress,
        stopped,
      );
      return (
        <>
          <p class={left ? "" : "good"}>{plural(done.discarded, "dead letter")} discarded.</p>
          {done.skipped > 0 && <p>{plural(done.skipped, "dead letter")} skipped: answered meanwhile.</p>}
          <Left count={left} />
        </>
      );
    },
  };
}
