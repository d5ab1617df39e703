// What the counters say about the pipeline: rate, lag, and whether every message is accounted for.
import type { Batch, Stats, StatsSample } from "../api/shapes";
import { instant } from "./time";

export interface Sample {
  /** Milliseconds since the epoch, the server's clock. */
  at: number;
  messages: number;
  rejected: number;
  unfinished: number;
  /** Seconds that the oldest batch that was not processed had waited. */
  lag: number;
}

const since = (time: string | null | undefined, at: number): number => {
  const then = instant(time);
  return then === null ? 0 : Math.max(0, (at - then) / 1000);
};

/** As the server has kept it; what has no time is none. */
export function samplesOf(kept: readonly StatsSample[]): Sample[] {
  return kept
    .map((sample) => ({ ...sample, at: instant(sample.at) }))
    .filter((sample) => sample.at !== null)
    .map(({ at, messages, rejected, unfinished, oldestUnprocessedAt }) => ({
      at: at ?? 0,
      messages,
      rejected,
      unfinished,
      lag: since(oldestUnprocessedAt, at ?? 0),
    }));
}

/** What the counters say at `at`. */
export function sampleOf(stats: Stats, at: number): Sample {
  return {
    at,
    messages: stats.messages,
    rejected: stats.rejected,
    unfinished: stats.batches.received + stats.batches.running,
    lag: since(stats.oldestUnprocessedAt, at),
  };
}

/** Both in the order of their times, those of the last `keepMs`. Several processes may have kept a part each. */
export function joined(some: readonly Sample[], more: readonly Sample[], keepMs: number): Sample[] {
  const byTime = new Map([...some, ...more].map((sample) => [sample.at, sample]));
  const sorted = [...byTime.values()].sort((a, b) => a.at - b.at);
  const newest = sorted.at(-1)?.at ?? 0;
  return sorted.filter((sample) => sample.at > newest - keepMs);
}

// Farther apart than that nobody looked, and an average over the time between would look like a measurement.
const LONGEST_STEP_MS = 45_000;
// Closer together, a little difference between two clocks would be a large one in the rate.
const SHORTEST_STEP_MS = 2000;

/** Messages a second between the first and last sample of the newest `windowMs`; null until two are there. */
export function messageRate(samples: readonly Sample[], windowMs: number): number | null {
  const last = samples.at(-1);
  if (!last) return null;
  const first = samples.find((sample) => sample.at >= last.at - windowMs);
  if (!first || last.at - first.at < 1000) return null;
  return Math.max(0, last.messages - first.messages) / ((last.at - first.at) / 1000);
}

/** One rate for each step from sample to sample: [seconds since the epoch], [messages a second]. */
export function rateSeries(samples: readonly Sample[]): [number[], number[]] {
  const times: number[] = [];
  const rates: number[] = [];
  let before: Sample | undefined;
  for (const sample of samples) {
    const step = before ? sample.at - before.at : Infinity;
    if (step < SHORTEST_STEP_MS) continue;
    if (before && step <= LONGEST_STEP_MS) {
      times.push(sample.at / 1000);
      rates.push(Math.max(0, sample.messages - before.messages) / (step / 1000));
    }
    before = sample;
  }
  return [times, rates];
}

export type Conservation =
  | { state: "balanced" }
  /** The counted messages are all accounted for, but events are waiting, or their batches have failed. */
  | { state: "waiting"; unprocessed: number }
  /** The counters were read while batches were being finished: to be looked at again, not an error. */
  | { state: "moving"; difference: number }
  | { state: "broken"; difference: number };

/** `messages = stored + duplicates + rejected`, exactly, whenever nothing is in flight; balanced only if nothing waits. */
export function conservation(stats: Stats): Conservation {
  const difference = stats.messages - stats.stored - stats.duplicates - stats.rejected;
  if (difference !== 0) {
    const open = stats.batches.received + stats.batches.running;
    return { state: open > 0 ? "moving" : "broken", difference };
  }
  return stats.unprocessed > 0
    ? { state: "waiting", unprocessed: stats.unprocessed }
    : { state: "balanced" };
}

/** Seconds the oldest batch that is not processed has waited, failed ones included; 0 when there is none. */
export function lagSeconds(stats: Stats, now: number): number {
  return since(stats.oldestUnprocessedAt, now);
}

/** Milliseconds from receipt to completion of each completed batch, sorted. */
export function processingTimes(batches: readonly Batch[]): number[] {
  return batches
    .map((batch) => {
      const from = instant(batch.receivedAt);
      const to = instant(batch.completedAt);
      return from !== null && to !== null ? to - from : null;
    })
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
}

/** Nearest-rank quantile of sorted values; null when there are none. */
export function quantile(sorted: readonly number[], fraction: number): number | null {
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? null;
}
