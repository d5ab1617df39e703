// The pipeline at a glance: rate, lag, processing time, and the proof that every message is accounted for.
import { BATCH_STATUSES, LETTER_STATUSES } from "../api/types";
import { Badge, Empty, Problem } from "../components/basics";
import { Ago } from "../components/times";
import { integer, plural, words } from "../domain/format";
import { conservation } from "../domain/pipeline";
import { link } from "../state/router";
import { askPipelineNow, pipelineReport, stats } from "../state/pipeline";
import { Flow } from "./pipelineFlow";
import { Health } from "./pipelineHealth";

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

function Conservation() {
  const counted = stats.value;
  if (!counted) return null;
  const result = conservation(counted);
  // What was true once is not said of now.
  const stale = pipelineReport.value.problem !== null;
  return (
    <section class="panel conservation" aria-label="Conservation of messages">
      <div class="panel-head">
        <h2>
          {result.state === "waiting"
            ? `${plural(result.unprocessed, "event")} not processed yet`
            : result.state === "balanced"
              ? "Every message that was received is accounted for"
              : "Messages accounted for"}
        </h2>
        {stale && <Badge tone="idle">As last counted</Badge>}
        {!stale && result.state === "balanced" && <Badge tone="ok">Balanced</Badge>}
        {!stale && result.state === "waiting" && (
          <Badge tone={counted.batches.failed > 0 ? "bad" : "info"}>
            {counted.batches.failed > 0
              ? `${plural(counted.batches.failed, "batch", "batches")} failed`
              : "Working on it"}
          </Badge>
        )}
        {!stale && result.state === "moving" && (
          <Badge tone="info">{plural(Math.abs(result.difference), "message")} in flight</Badge>
        )}
        {!stale && result.state === "broken" && (
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
