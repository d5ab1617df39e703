// A list read page by page: the first page is asked for again and again, further pages when a person wants them.
import { signal } from "@preact/signals";
import { ApiProblem } from "../api/problem";
import type { Page } from "../api/shapes";
import { serverNow } from "./clock";
import { Poller } from "./poller";

const EVERY_MS = 5000;

export class PagedList<T extends { id: string }> {
  readonly items = signal<T[]>([]);
  readonly problem = signal<ApiProblem | null>(null);
  readonly loaded = signal(false);
  readonly loadingMore = signal(false);
  /** Server's time of the last answer, milliseconds since the epoch. */
  readonly answeredAt = signal(serverNow());
  readonly continuation = signal<string | null>(null);
  #further = false;
  #poller: Poller;

  constructor(private readonly page: (continuation: string | null) => Promise<Page<T>>) {
    this.#poller = new Poller(
      () => this.#first(),
      EVERY_MS,
      (report) => {
        this.problem.value = report.problem;
      },
    );
  }

  start(): () => void {
    this.#poller.start();
    return () => this.#poller.stop();
  }

  refresh = (): void => this.#poller.now();

  async more(): Promise<void> {
    const { value: continuation } = this.continuation;
    if (continuation === null || this.loadingMore.value) return;
    this.loadingMore.value = true;
    try {
      const page = await this.page(continuation);
      this.#further = true;
      this.items.value = merged(this.items.value, page.items);
      this.continuation.value = page.continuation;
    } catch (error) {
      this.problem.value = error instanceof ApiProblem ? error : null;
    }
    this.loadingMore.value = false;
  }

  async #first(): Promise<void> {
    const page = await this.page(null);
    this.loaded.value = true;
    this.answeredAt.value = serverNow();
    // Once further pages are there, the first one only brings the top up to date.
    this.items.value = this.#further ? merged(page.items, this.items.value) : page.items;
    if (!this.#further) this.continuation.value = page.continuation;
  }
}

/** `first`, then those of `then` that are not in it. */
function merged<T extends { id: string }>(first: readonly T[], then: readonly T[]): T[] {
  const ids = new Set(first.map((item) => item.id));
  return [...first, ...then.filter((item) => !ids.has(item.id))];
}
