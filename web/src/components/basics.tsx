// Small parts that every view uses.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { explain, ApiProblem } from "../api/problem";
import type { Connectivity } from "../api/shapes";
import { words } from "../domain/format";
import { session, signInHere } from "../state/session";
import { Icon } from "./icons";

/** Shape and word as well as colour: full, hollow, crossed. */
export function Dot({ state }: { state: Connectivity }) {
  return (
    <svg class={`dot ${state}`} width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
      {state === "offline" ? (
        <path d="M2 2l6 6M8 2L2 8" />
      ) : (
        <circle cx="5" cy="5" r={state === "online" ? 4.5 : 3.5} />
      )}
    </svg>
  );
}

export type Tone = "ok" | "warn" | "bad" | "idle" | "info";

const ICONS: Record<Tone, string | null> = {
  ok: "check",
  warn: "alert",
  bad: "alert",
  idle: null,
  info: null,
};

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  const icon = ICONS[tone];
  return (
    <span class={`badge ${tone}`}>
      {icon && <Icon name={icon} size={12} />}
      {children}
    </span>
  );
}

export function ConnectivityBadge({ state }: { state: Connectivity }) {
  return (
    <span class={`badge connectivity ${state}`}>
      <Dot state={state} />
      {words(state)}
    </span>
  );
}

const TONES: Record<string, Tone> = {
  completed: "ok",
  replayed: "ok",
  running: "info",
  received: "info",
  failed: "bad",
  open: "warn",
  ongoing: "info",
  ended: "ok",
  discarded: "idle",
  Completed: "ok",
  Running: "info",
  Pending: "info",
  ContinuedAsNew: "info",
  Suspended: "warn",
  Failed: "bad",
  Terminated: "idle",
};

export function StatusBadge({ status }: { status: string }) {
  return <Badge tone={TONES[status] ?? "idle"}>{words(status)}</Badge>;
}

/** What went wrong, announced to a screen reader as it appears. */
export function Problem({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const refused = problem instanceof ApiProblem ? problem : null;
  return (
    <div class="problem" role="alert">
      <Icon name={refused?.kind === "offline" ? "lost" : "alert"} />
      <p>{explain(problem)}</p>
      {refused?.kind === "signIn" && session.value !== "none" && (
        <a class="button" href={signInHere()}>
          Sign in
        </a>
      )}
      {retry && (
        <button type="button" class="quiet" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function Select({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

export function TextFilter(props: {
  label: string;
  value: string;
  change: (value: string) => void;
  /** Values to choose from; others may be typed. */
  known?: readonly string[];
}) {
  const list = useId();
  return (
    <label class="field">
      <span>{props.label}</span>
      <input
        type="text"
        value={props.value}
        maxLength={300}
        placeholder="All"
        spellcheck={false}
        {...(props.known ? { list } : {})}
        onChange={(event) => props.change(event.currentTarget.value.trim())}
      />
      {props.known && (
        <datalist id={list}>
          {props.known.map((value) => (
            <option key={value} value={value} />
          ))}
        </datalist>
      )}
    </label>
  );
}

export function Figure({
  label,
  value,
  note,
  tone,
}: {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  tone?: Tone;
}) {
  return (
    <div class={`figure ${tone ?? ""}`}>
      <dt>{label}</dt>
      <dd>
        <strong>{value}</strong>
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}
