// Asks again and again: one question at a time, at the pace of domain/polling.
import { ApiProblem } from "../api/problem";
import { nextDelay } from "../domain/polling";

export interface PollReport {
  failures: number;
  problem: ApiProblem | null;
  /** Milliseconds since the epoch (our clock) of the last good answer; null before the first. */
  answeredAt: number | null;
  /** When the next question is due, our clock. */
  nextAt: number;
}

export class Poller {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #again = false;
  #failures = 0;
  #answeredAt: number | null = null;
  #stopped = false;

  constructor(
    private readonly ask: () => Promise<void>,
    private readonly base: number,
    private readonly report: (report: PollReport) => void = () => {},
  ) {}

  start(): this {
    document.addEventListener("visibilitychange", this.#visibility);
    window.addEventListener("online", this.now);
    void this.#round();
    return this;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#visibility);
    window.removeEventListener("online", this.now);
  }

  /** Ask at once, or once more right after the question that is under way. */
  now = (): void => {
    if (this.#asking) this.#again = true;
    else void this.#round();
  };

  #visibility = (): void => {
    if (!document.hidden) this.now();
  };

  async #round(): Promise<void> {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    this.#again = false;
    const began = performance.now();
    let problem: ApiProblem | null = null;
    try {
      await this.ask();
      this.#failures = 0;
      this.#answeredAt = Date.now();
    } catch (error) {
      if (!(error instanceof ApiProblem)) console.error(error);
      problem =
        error instanceof ApiProblem
          ? error
          : new ApiProblem("server", 0, "Unexpected answer", String(error));
      this.#failures += 1;
    }
    this.#asking = false;
    if (this.#stopped) return;
    const delay = this.#again
      ? 0
      : nextDelay({
          base: this.base,
          failures: this.#failures,
          hidden: document.hidden,
          took: performance.now() - began,
          retryAfter: problem?.retryAfter ?? null,
        });
    this.#timer = setTimeout(() => void this.#round(), delay);
    this.report({
      failures: this.#failures,
      problem,
      answeredAt: this.#answeredAt,
      nextAt: Date.now() + delay,
    });
  }
}
