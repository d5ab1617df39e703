// How fast it goes and how far it is behind, now and over the last hour.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { RecoveryReport } from "../api/shapes";
import { Figure, type Tone } from "../components/basics";
import { Choice } from "../components/menu";
import { Plot } from "../components/plot";
import { integer, rate as formatRate, UNKNOWN } from "../domain/format";
import { quantile, rateSeries, type Sample } from "../domain/pipeline";
import type { Series } from "../domain/series";
import { duration, instant, span } from "../domain/time";
import { serverNow } from "../state/clock";
import { lag, pipelineReport, processing, rate, samples, stats } from "../state/pipeline";
import { preference } from "../state/preference";
import { Poller } from "../state/poller";

const HUB_EVERY_MS = 10_000;
const MINUTES = { "15": 15 * 60, "60": 60 * 60 } as const;
const shown = preference("pipelineMinutes", ["60", "15"]);

const tone = (seconds: number): { tone?: Tone } =>
  seconds > 60 ? { tone: "bad" } : seconds > 15 ? { tone: "warn" } : {};

export function Flow() {
  const waiting = lag.value;
  const median = quantile(processing.value, 0.5);
  const slow = quantile(processing.value, 0.95);
  const open = stats.value ? stats.value.batches.received + stats.value.batches.running : 0;
  const stale = pipelineReport.value.problem !== null;
  return (
    <>
      <dl class={`figures${stale ? " stale" : ""}`}>
        <Figure
          label="Rate"
          value={formatRate(stale ? null : rate.value)}
          note={rate.value === null ? "measuring…" : "messages/s over 30 s"}
        />
        <Figure
          label="Lag"
          value={waiting < 1 ? "None" : duration(waiting)}
          note="longest that a batch has waited, failed ones included"
          {...tone(waiting)}
        />
        <Figure label="In flight" value={integer(open)} note={<InFlight />} />
        <InTheHub />
        <Figure
          label="Processing time"
          value={median === null ? UNKNOWN : span(median)}
          note={slow === null ? "no batch completed yet" : `median; 95 % under ${span(slow)}`}
        />
        <Figure label="Drones" value={integer(stats.value?.drones)} note="seen since the store was made" />
        <Figure label="Events" value={integer(stats.value?.events)} note="since the store was made" />
      </dl>
      <Plots />
    </>
  );
}

/** A batch that is completed may yet wait to tell its drones, where signals are gathered. */
function InFlight() {
  const held = stats.value?.held;
  const told = "batches received or running";
  if (!held?.batches) return <>{told}</>;
  const since = instant(held.since);
  return (
    <>
      {told}; {integer(held.batches)} completed that have not told their drones yet
      {since !== null && `, for ${duration((serverNow() - since) / 1000)}`}
    </>
  );
}

/** Events that the hub holds and the ledger has never had: on their way, or not coming. */
function InTheHub() {
  const report = useSignal<RecoveryReport | null>(null);
  const failed = useSignal(false);
  useEffect(() => {
    const poller = new Poller(
      async () => {
        report.value = await api.recovery();
      },
      HUB_EVERY_MS,
      ({ problem }) => {
        failed.value = problem !== null;
      },
    ).start();
    return () => poller.stop();
  }, []);
  const events = failed.value ? null : (report.value?.events ?? null);
  return (
    <Figure
      label="In the hub"
      value={integer(events)}
      note={failed.value ? "the hub does not answer" : "events that have not been received yet"}
    />
  );
}

const series = (list: readonly Sample[], value: (sample: Sample) => number): Series => [
  list.map((sample) => sample.at / 1000),
  list.map(value),
];

function Plots() {
  const list = samples.value;
  const to = (list.at(-1)?.at ?? serverNow()) / 1000;
  const time = { from: to - MINUTES[shown.value], to, sync: "pipeline", height: 120 };
  return (
    <>
      <div class="panel-tools">
        <Choice
          label="Time shown"
          value={shown.value}
          options={[
            ["15", "15 min"],
            ["60", "1 hour"],
          ]}
          choose={shown.choose}
        />
      </div>
      <div class="panels three">
        <section class="panel" aria-label="Rate over time">
          <Plot
            {...time}
            label="Messages per second"
            data={rateSeries(list)}
            format={(value) => (value < 10 ? value.toFixed(1) : integer(value))}
          />
        </section>
        <section class="panel" aria-label="Batches in flight over time">
          <Plot
            {...time}
            label="Batches in flight"
            data={series(list, (sample) => sample.unfinished)}
            format={integer}
            whole
            colour="--series-3"
          />
        </section>
        <section class="panel" aria-label="Lag over time">
          <Plot
            {...time}
            label="Lag, seconds"
            data={series(list, (sample) => sample.lag)}
            format={(value) => (value < 10 ? value.toFixed(1) : integer(value))}
            colour="--stale"
          />
        </section>
      </div>
    </>
  );
}
