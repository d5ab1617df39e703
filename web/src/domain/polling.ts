// When to ask again: steady while all is well, slower when nobody looks, ever slower while nothing answers.

export interface PollState {
  /** Milliseconds between two questions when all is well. */
  base: number;
  /** Consecutive failures so far. */
  failures: number;
  hidden: boolean;
  /** How long the last answer took, milliseconds. */
  took: number;
  /** Seconds the server asked us to wait, if it did. */
  retryAfter: number | null;
}

export const HIDDEN_MS = 30_000;
export const LONGEST_MS = 30_000;
// A slow server is left alone for twice as long as it took, but not so long that the page seems dead.
const SHARE = 2;
const SLOWEST_MS = 10_000;

/** Milliseconds until the next question. */
export function nextDelay(state: PollState): number {
  let delay = Math.max(state.base, Math.min(SLOWEST_MS, state.took * SHARE));
  if (state.failures > 0) {
    delay = Math.max(delay, Math.min(LONGEST_MS, state.base * 2 ** (state.failures - 1)));
  }
  if (state.hidden) delay = Math.max(delay, HIDDEN_MS);
  if (state.retryAfter !== null) delay = Math.max(delay, state.retryAfter * 1000);
  return delay;
}
