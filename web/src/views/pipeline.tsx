// The pipeline at a glance: rate, lag, processing time, and the proof that every message is accounted for.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import { BATCH_STATUSES, LETTER_STATUSES } from "../api/types";
import { Ago, Badge, Empty, Figure, Problem } from "../components/basics";
import { Plot } from "../components/plot";
import { integer, plural, rate as formatRate, UNKNOWN, words } from "../domain/format";
import { conservation, quantile, rateSeries } from "../domain/pipeline";
import { healthParts, type HealthPart } from "../domain/health";
import { duration, span } from "../domain/time";
import { Poller } from "../state/poller";
import { link } from "../state/router";
import {
  askPipelineNow,
  lag,
  pipelineReport,
  processing,
  rate,
  samples,
  stats,
} from "../state/pipeline";

const SHOWN_SECONDS = 15 * 60;

export function PipelineView() {
  const { problem, answeredAt } = pipelineReport.value;
  const counted = stats.value;
  return (
    <main id="main" class="view" tabIndex={-1}>
      <div class="view-main scrolls">
        <div class="view-head">
          <h1>Pipeline</h1>
          {answeredAt !== null && (
            <span class="muted">
              counted <Ago time={new Date(answeredAt).toISOString()} />
            </span>
          )}
        </div>
        {problem && <Problem problem={problem} retry={askPipelineNow} />}
        {!counted && !problem && <Empty>Asking for the counters…</Empty>}
        {counted && (
          <>
            <Flow />
            <Conservation />
            <div class="panels">
              <Breakdown
                title="Batches"
                view="batches"
                counts={counted.batches}
                order={BATCH_STATUSES}
              />
              <Breakdown
                title="Dead letters"
                view="deadletters"
                counts={counted.deadLetters}
                order={LETTER_STATUSES}
              />
              <Reasons codes={counted.deadLetterCodes ?? {}} />
              <Health />
            </div>
          </>
        )}
      </div>
    </main>
  );
}

function Flow() {
  const waiting = lag.value;
  const median = quantile(processing.value, 0.5);
  const slow = quantile(processing.value, 0.95);
  const list = samples.value;
  const to = (list.at(-1)?.at ?? Date.now()) / 1000;
  const time = { from: to - SHOWN_SECONDS, to, sync: "pipeline", height: 130 };
  const inFlight: [number[], number[]] = [
    list.map((sample) => sample.at / 1000),
    list.map((sample) => sample.unfinished),
  ];
  const open = stats.value ? stats.value.batches.received + stats.value.batches.running : 0;
  return (
    <>
      <dl class="figures">
        <Figure
          label="Rate"
          value={`${formatRate(rate.value)}`}
          note={rate.value === null ? "measuring…" : "messages/s over 30 s"}
        />
        <Figure
          label="Lag"
          value={waiting < 1 ? "None" : duration(waiting)}
          note="longest that a batch has waited, failed ones included"
          {...(waiting > 60 ? { tone: "bad" as const } : waiting > 15 ? { tone: "warn" as const } : {})}
        />
        <Figure label="In flight" value={integer(open)} note="batches received or running" />
        <Figure
          label="Processing time"
          value={median === null ? UNKNOWN : span(median)}
          note={slow === null ? "no batch completed yet" : `median; 95 % under ${span(slow)}`}
        />
        <Figure label="Drones" value={integer(stats.value?.drones)} note="seen since the store was made" />
        <Figure label="Events" value={integer(stats.value?.events)} note="since the store was made" />
      </dl>
      <div class="panels two">
        <section class="panel" aria-label="Rate over time">
          <Plot
            {...time}
            label="Messages per second, while this page is open"
            data={rateSeries(list)}
            format={(value) => (value < 10 ? value.toFixed(1) : integer(value))}
          />
        </section>
        <section class="panel" aria-label="Batches in flight over time">
          <Plot
            {...time}
            label="Batches in flight"
            data={inFlight}
            format={integer}
            whole
            colour="--series-3"
          />
        </section>
      </div>
    </>
  );
}

function Conservation() {
  const counted = stats.value;
  if (!counted) return null;
  const result = conservation(counted);
  return (
    <section class="panel conservation" aria-label="Conservation of messages">
      <div class="panel-head">
        <h2>
          {result.state === "waiting"
            ? `${plural(result.unprocessed, "event")} not processed yet`
            : result.state === "balanced"
              ? "Every message is accounted for"
              : "Messages accounted for"}
        </h2>
        {result.state === "balanced" && <Badge tone="ok">Balanced</Badge>}
        {result.state === "waiting" && (
          <Badge tone={counted.batches.failed > 0 ? "bad" : "info"}>
            {counted.batches.failed > 0
              ? `${plural(counted.batches.failed, "batch", "batches")} failed`
              : "Working on it"}
          </Badge>
        )}
        {result.state === "moving" && (
          <Badge tone="info">{plural(Math.abs(result.difference), "message")} in flight</Badge>
        )}
        {result.state === "broken" && (
          <Badge tone="bad">Off by {plural(Math.abs(result.difference), "message")}</Badge>
        )}
      </div>
      <div class="equation">
        <Term value={counted.messages} label="Messages" />
        <span>=</span>
        <Term value={counted.stored} label="Stored" />
        <span>+</span>
        <Term value={counted.duplicates} label="Duplicates" />
        <span>+</span>
        <Term value={counted.rejected} label="Rejected" />
      </div>
      <Proportions
        parts={[
          ["stored", counted.stored],
          ["duplicates", counted.duplicates],
          ["rejected", counted.rejected],
        ]}
      />
    </section>
  );
}

function Term({ value, label }: { value: number; label: string }) {
  return (
    <div class="term">
      <strong>{integer(value)}</strong>
      <small>{label}</small>
    </div>
  );
}

function Proportions({ parts }: { parts: readonly (readonly [string, number])[] }) {
  const total = parts.reduce((sum, [, value]) => sum + value, 0);
  if (total === 0) return null;
  return (
    <div class="proportions" aria-hidden="true">
      {parts.map(([name, value]) => (
        <span key={name} class={name} style={{ width: `${(100 * value) / total}%` }} />
      ))}
    </div>
  );
}

function Breakdown(props: {
  title: string;
  view: "batches" | "deadletters";
  counts: Record<string, number>;
  order: readonly string[];
}) {
  const warns = (status: string, count: number) =>
    count > 0 && (status === "failed" || status === "open");
  return (
    <section class="panel" aria-label={props.title}>
      <h2>{props.title}</h2>
      <ul class="breakdown">
        {props.order.map((status) => {
          const count = props.counts[status] ?? 0;
          return (
            <li key={status} class={warns(status, count) ? `warns ${status}` : ""}>
              <a href={link({ view: props.view, query: { status } })}>{words(status)}</a>
              <span>{integer(count)}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const MOST_REASONS = 6;

/** Why messages were rejected, most frequent first, since the store was made. */
function Reasons({ codes }: { codes: Record<string, number> }) {
  const sorted = Object.entries(codes)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const most = sorted[0]?.[1] ?? 1;
  return (
    <section class="panel" aria-label="Reasons of rejection">
      <h2>Reasons of rejection</h2>
      {sorted.length === 0 && <p class="muted">Nothing was rejected.</p>}
      <ul class="breakdown bars">
        {sorted.slice(0, MOST_REASONS).map(([code, count]) => (
          <li key={code}>
            <a href={link({ view: "deadletters", query: { status: "any", errorCode: code } })}>
              {words(code)}
            </a>
            <span>{integer(count)}</span>
            <span class="share" style={{ width: `${(100 * count) / most}%` }} aria-hidden="true" />
          </li>
        ))}
      </ul>
      {sorted.length > MOST_REASONS && (
        <p class="muted small">and {plural(sorted.length - MOST_REASONS, "other reason")}</p>
      )}
    </section>
  );
}

const TONES = { healthy: "ok", degraded: "warn", unhealthy: "bad" } as const;
const WORDS = { healthy: "OK", degraded: "Degraded", unhealthy: "Down" };

function Health() {
  const parts = useSignal<HealthPart[] | null>(null);
  const problem = useSignal<ApiProblem | null>(null);
  useEffect(() => {
    const poller = new Poller(
      async () => {
        parts.value = healthParts(await api.health());
      },
      10_000,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    return () => poller.stop();
  }, []);
  return (
    <section class="panel" aria-label="Health">
      <h2>Health</h2>
      {problem.value && <Problem problem={problem.value} />}
      <ul class="breakdown">
        {parts.value?.map(({ name, status, detail }) => (
          <li key={name}>
            <span>
              {words(name)} {detail && <small class="muted">{detail}</small>}
            </span>
            <Badge tone={TONES[status]}>{WORDS[status]}</Badge>
          </li>
        ))}
      </ul>
    </section>
  );
}
