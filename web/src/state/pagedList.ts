// A list read page by page: the first page is asked for again and again, further pages when a person wants them. While
// somebody points at it, or is in it with the keyboard, no row moves: what is new waits until they leave or ask for it.
import { signal } from "@preact/signals";
import { ApiProblem } from "../api/problem";
import type { Page } from "../api/shapes";
import { merged, refreshed } from "../domain/list";
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
  /** How many are new and not shown yet, and whether there are more than were asked for. */
  readonly waiting = signal<{ count: number; more: boolean } | null>(null);
  #further = false;
  #held = false;
  #newest: Page<T> | null = null;
  #poller: Poller;

  /** `page` is told whether what goes by the time may be worked out anew: further pages go on from the first as it was. */
  constructor(
    private readonly page: (continuation: string | null, anew: boolean) => Promise<Page<T>>,
    every = EVERY_MS,
  ) {
    this.#poller = new Poller(
      () => this.#first(),
      every,
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

  /** While `held`, rows that are there are brought up to date where they stand, and none comes or goes. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.show();
  }

  /** Shows what waits. */
  show = (): void => {
    const page = this.#newest;
    this.#newest = null;
    this.waiting.value = null;
    if (page) this.#take(page);
  };

  async more(): Promise<void> {
    const { value: continuation } = this.continuation;
    if (continuation === null || this.loadingMore.value) return;
    this.loadingMore.value = true;
    try {
      const page = await this.page(continuation, false);
      this.#further = true;
      this.items.value = merged(this.items.value, page.items);
      this.continuation.value = page.continuation;
    } catch (error) {
      this.problem.value = error instanceof ApiProblem ? error : null;
    }
    this.loadingMore.value = false;
  }

  async #first(): Promise<void> {
    const page = await this.page(null, !this.#further && !this.#held);
    this.loaded.value = true;
    this.answeredAt.value = serverNow();
    if (!this.#held || this.items.value.length === 0) {
      this.#newest = null;
      this.waiting.value = null;
      this.#take(page);
      return;
    }
    const { items, fresh } = refreshed(this.items.value, page.items);
    this.items.value = items;
    this.#newest = page;
    const more = fresh === page.items.length && page.continuation !== null;
    this.waiting.value = fresh > 0 ? { count: fresh, more } : null;
  }

  #take(page: Page<T>): void {
    // Once further pages are there, the first one only brings the top up to date: unless so many are new that there would
    // be a gap between the two.
    const { fresh } = refreshed(this.items.value, page.items);
    if (this.#further && fresh < page.items.length) {
      this.items.value = merged(page.items, this.items.value);
      return;
    }
    this.#further = false;
    this.items.value = page.items;
    this.continuation.value = page.continuation;
  }
}
