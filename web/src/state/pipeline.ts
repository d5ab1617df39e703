// The pipeline's counters over time, and its unfinished batches.
import { computed, signal } from "@preact/signals";
import { api } from "../api/client";
import type { Batch, Stats } from "../api/types";
import { lagSeconds, messageRate, processingTimes, type Sample } from "../domain/pipeline";
import { now } from "./clock";
import { Poller, type PollReport } from "./poller";

const BASE_MS = 4000;
const KEEP_MS = 30 * 60_000;
const RATE_WINDOW_MS = 30_000;
const RECENT = 100;

export const stats = signal<Stats | null>(null);
export const samples = signal<Sample[]>([]);
export const unfinished = signal<Batch[]>([]);
/** Milliseconds from receipt to completion of the newest completed batches, sorted. */
export const processing = signal<number[]>([]);
export const pipelineReport = signal<PollReport>({
  failures: 0,
  problem: null,
  answeredAt: null,
  nextAt: 0,
});

export const rate = computed(() => messageRate(samples.value, RATE_WINDOW_MS));
export const lag = computed(() => lagSeconds(stats.value, unfinished.value, now.value));

async function ask(): Promise<void> {
  const [counted, open, completed] = await Promise.all([
    api.stats(),
    api.batches({ status: "received,running", limit: 1000 }),
    api.batches({ status: "completed", limit: RECENT }),
  ]);
  const at = Date.now();
  stats.value = counted;
  unfinished.value = open.items;
  processing.value = processingTimes(completed.items);
  samples.value = [
    ...samples.value.filter((sample) => sample.at > at - KEEP_MS),
    {
      at,
      messages: counted.messages,
      rejected: counted.rejected,
      unfinished: counted.batches.received + counted.batches.running,
    },
  ];
}

const poller = new Poller(ask, BASE_MS, (report) => {
  pipelineReport.value = report;
});

export const askPipelineNow = poller.now;

export function startPipeline(): void {
  poller.start();
}
