// Lists of things that have an id.

interface Identified {
  id: string;
}

/** `first`, then those of `then` that are not in it. */
export function merged<T extends Identified>(first: readonly T[], then: readonly T[]): T[] {
  const ids = new Set(first.map((item) => item.id));
  return [...first, ...then.filter((item) => !ids.has(item.id))];
}

/** `shown` in its order, each as `answer` has it where it does; and how many of `answer` are not among them. */
export function refreshed<T extends Identified>(
  shown: readonly T[],
  answer: readonly T[],
): { items: T[]; fresh: number } {
  const newest = new Map(answer.map((item) => [item.id, item]));
  const items = shown.map((item) => newest.get(item.id) ?? item);
  const known = new Set(shown.map((item) => item.id));
  return { items, fresh: answer.filter((item) => !known.has(item.id)).length };
}
