// The pipeline's counters over time, its lag and its processing times.
import { computed, effect, signal } from "@preact/signals";
import { api } from "../api/client";
import type { Stats } from "../api/shapes";
import { lagSeconds, messageRate, processingTimes, type Sample } from "../domain/pipeline";
import { serverNow } from "./clock";
import { Poller, type PollReport } from "./poller";
import { route } from "./router";

const BASE_MS = 4000;
const KEEP_MS = 30 * 60_000;
const RATE_WINDOW_MS = 30_000;
const RECENT = 100;

export const stats = signal<Stats | null>(null);
export const samples = signal<Sample[]>([]);
/** Milliseconds from receipt to completion of the newest completed batches, sorted. */
export const processing = signal<number[]>([]);
export const pipelineReport = signal<PollReport>({
  failures: 0,
  problem: null,
  answeredAt: null,
  nextAt: 0,
});

export const rate = computed(() => messageRate(samples.value, RATE_WINDOW_MS));
/** Seconds, as of the last answer: it does not grow while nobody asks. */
export const lag = signal(0);

async function ask(): Promise<void> {
  const counted = await api.stats();
  // Asked for only where it is shown.
  if (route.peek().view === "pipeline") {
    const completed = await api.batches({ status: "completed", limit: RECENT });
    processing.value = processingTimes(completed.items);
  }
  const at = Date.now();
  stats.value = counted;
  lag.value = lagSeconds(counted, serverNow());
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
  effect(() => {
    if (route.value.view === "pipeline") poller.now();
  });
}
