// What was, is and could be again of something that is only ever replaced, never changed.

const MOST = 200;

export class Undo<T> {
  #past: T[] = [];
  #future: T[] = [];
  #now: T;
  /** What the last step was about: more of the same is the same step. */
  #about: string | null = null;

  constructor(start: T) {
    this.#now = start;
  }

  get now(): T {
    return this.#now;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** `about` names a field that is typed into: letter by letter is one step. */
  push(next: T, about: string | null = null): void {
    if (next === this.#now) return;
    if (about === null || about !== this.#about) {
      this.#past.push(this.#now);
      if (this.#past.length > MOST) this.#past.shift();
    }
    this.#about = about;
    this.#future = [];
    this.#now = next;
  }

  undo(): T {
    const before = this.#past.pop();
    if (before !== undefined) {
      this.#future.push(this.#now);
      this.#now = before;
    }
    this.#about = null;
    return this.#now;
  }

  redo(): T {
    const after = this.#future.pop();
    if (after !== undefined) {
      this.#past.push(this.#now);
      this.#now = after;
    }
    this.#about = null;
    return this.#now;
  }

  /** Begins anew: there is nothing to go back to. */
  reset(now: T): void {
    this.#past = [];
    this.#future = [];
    this.#about = null;
    this.#now = now;
  }
}
