// The pipeline's counters over time, its lag and its processing times.
import { computed, effect, signal } from "@preact/signals";
import { api } from "../api/client";
import type { Stats } from "../api/shapes";
import {
  joined,
  lagSeconds,
  messageRate,
  processingTimes,
  sampleOf,
  samplesOf,
  type Sample,
} from "../domain/pipeline";
import { serverNow } from "./clock";
import { Poller, type PollReport } from "./poller";
import { route } from "./router";

const BASE_MS = 4000;
const KEEP_MS = 60 * 60_000;
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

let past: "unasked" | "asking" | "known" = "unasked";

/** The hour before this page was opened, once; asked for again until it is answered. */
async function askForThePast(): Promise<void> {
  if (past !== "unasked") return;
  past = "asking";
  try {
    const { items } = await api.statsHistory("");
    samples.value = joined(samplesOf(items), samples.value, KEEP_MS);
    past = "known";
  } catch {
    past = "unasked";
  }
}

async function ask(): Promise<void> {
  const counted = await api.stats();
  // Asked for only where it is shown.
  if (route.peek().view === "pipeline") {
    void askForThePast();
    const completed = await api.batches({ status: "completed", limit: RECENT });
    processing.value = processingTimes(completed.items);
  }
  stats.value = counted;
  lag.value = lagSeconds(counted, serverNow());
  samples.value = joined(samples.value, [sampleOf(counted, serverNow())], KEEP_MS);
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
