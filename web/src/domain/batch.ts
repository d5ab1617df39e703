// What a batch says of itself, in words.
import type { Batch } from "../api/shapes";
import { UNKNOWN } from "./format";
import { instant, span } from "./time";

/** How long it took, or has taken at `at` (when it was asked for: a batch may have ended since). */
export function took(batch: Batch, at: number): string {
  const from = instant(batch.receivedAt);
  const to = instant(batch.completedAt) ?? (batch.status === "failed" ? null : at);
  return from === null || to === null ? UNKNOWN : span(to - from);
}
