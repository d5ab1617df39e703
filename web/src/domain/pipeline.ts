// What the counters say about the pipeline: rate, lag, and whether every message is accounted for.
import type { Batch, Stats } from "../api/shapes";
import { instant } from "./time";

export interface Sample {
  /** Milliseconds since the epoch, our clock. */
  at: number;
  messages: number;
  rejected: number;
  unfinished: number;
}

/** Messages a second between the first and last sample of the newest `windowMs`; null until two are there. */
export function messageRate(samples: readonly Sample[], windowMs: number): number | null {
  const last = samples.at(-1);
  if (!last) return null;
  const first = samples.find((sample) => sample.at >= last.at - windowMs);
  if (!first || last.at - first.at < 1000) return null;
  return Math.max(0, last.messages - first.messages) / ((last.at - first.at) / 1000);
}

/** One rate for each pair of neighbours: [seconds since the epoch], [messages a second]. */
export function rateSeries(samples: readonly Sample[]): [number[], number[]] {
  const times: number[] = [];
  const rates: number[] = [];
  samples.forEach((sample, at) => {
    const before = samples[at - 1];
    if (!before || sample.at - before.at < 500) return;
    times.push(sample.at / 1000);
    rates.push(Math.max(0, sample.messages - before.messages) / ((sample.at - before.at) / 1000));
  });
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
  const oldest = instant(stats.oldestUnprocessedAt);
  return oldest === null ? 0 : Math.max(0, (now - oldest) / 1000);
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
