// The wall display: large, with nothing to click, one picture after the other. What must not be missed is always on it.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AlertKind } from "../components/alertKind";
import { Dot, Empty, Problem } from "../components/basics";
import { Clock } from "../components/times";
import { CONNECTIVITIES } from "../domain/connectivity";
import { integer, rate as formatRate, words } from "../domain/format";
import { conservation } from "../domain/pipeline";
import { duration } from "../domain/time";
import { openAlerts } from "../state/alerts";
import { now } from "../state/clock";
import { clock } from "../state/display";
import { connection, connectionState, rows } from "../state/fleet";
import { lag, rate, stats } from "../state/pipeline";
import { wallSeconds } from "../state/wall";
import { Lasted, valueOf } from "./alertParts";
import { MapPane } from "./mapPane";
import { STATES } from "./topBar";

const PICTURES = [
  { title: "Fleet", Picture: () => <MapPane /> },
  { title: "Alerts", Picture: AlertsPicture },
  { title: "Pipeline", Picture: PipelinePicture },
] as const;

const at = signal(0);

export function Wall() {
  useEffect(() => {
    const timer = setInterval(() => (at.value = (at.value + 1) % PICTURES.length), wallSeconds * 1000);
    return () => clearInterval(timer);
  }, []);
  const { title, Picture } = PICTURES[at.value] ?? PICTURES[0];
  const state = connectionState.value;
  return (
    <main id="main" class={`wall ${state}`}>
      <header class="wall-head">
        <h1>{title}</h1>
        <WallFigures />
        <div class={`pill ${state}`} role="status">
          {STATES[state]}
        </div>
        <time class="wall-time">{clock(new Date(now.value).toISOString())}</time>
      </header>
      {state === "denied" ? (
        <Problem problem={connection.value.problem} />
      ) : (
        <section class="wall-picture" aria-label={title} key={title}>
          <Picture />
        </section>
      )}
    </main>
  );
}

function WallFigures() {
  const counts = { online: 0, stale: 0, offline: 0 };
  for (const { connectivity } of rows.value) counts[connectivity] += 1;
  const { items, more } = openAlerts.value;
  return (
    <dl class="wall-figures">
      {CONNECTIVITIES.map((state) => (
        <div key={state}>
          <dt>
            <Dot state={state} /> {words(state)}
          </dt>
          <dd>{integer(counts[state])}</dd>
        </div>
      ))}
      <div class={items.length ? "bad" : ""}>
        <dt>Open alerts</dt>
        <dd>
          {integer(items.length)}
          {more && "+"}
        </dd>
      </div>
    </dl>
  );
}

const MOST_ALERTS = 8;

function AlertsPicture() {
  const { items, more } = openAlerts.value;
  if (items.length === 0) return <Empty>No alert waits for anybody.</Empty>;
  const left = items.length - MOST_ALERTS;
  return (
    <>
      <ul class="wall-alerts">
        {items.slice(0, MOST_ALERTS).map((alert) => (
          <li key={alert.id}>
            <AlertKind code={alert.code} />
            <strong>{alert.deviceId}</strong>
            <span>{valueOf(alert)}</span>
            <span class="muted">
              since <Clock time={alert.raisedAt} /> (<Lasted alert={alert} />)
            </span>
          </li>
        ))}
      </ul>
      {(left > 0 || more) && (
        <p class="muted">
          and {integer(Math.max(left, 0))}
          {more && "+"} more
        </p>
      )}
    </>
  );
}

function PipelinePicture() {
  const counted = stats.value;
  if (!counted) return <Empty>Asking for the counters…</Empty>;
  const open = counted.batches.received + counted.batches.running;
  const figures: readonly (readonly [string, string, boolean])[] = [
    ["Messages a second", formatRate(rate.value), false],
    ["Lag", lag.value < 1 ? "None" : duration(lag.value), lag.value > 60],
    ["Batches in flight", integer(open), false],
    ["Failed batches", integer(counted.batches.failed), counted.batches.failed > 0],
    ["Open dead letters", integer(counted.deadLetters.open), counted.deadLetters.open > 0],
    ["Accounted for", ACCOUNT[conservation(counted).state], conservation(counted).state === "broken"],
  ];
  return (
    <dl class="wall-pipeline">
      {figures.map(([name, value, bad]) => (
        <div key={name} class={bad ? "bad" : ""}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const ACCOUNT = { balanced: "All", waiting: "Working", moving: "Working", broken: "Not all" } as const;
