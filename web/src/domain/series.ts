// A series over time, [seconds since the epoch, rising] and [value], and where it says nothing.

export type Series = [number[], number[]];

const SHORTEST_GAP = 10;
const USUAL_STEPS = 5;

/** Seconds between two neighbours above which nothing is known between them: several times what is usual in the series. */
export function gapOf([times]: Series): number {
  const steps = times.slice(1).map((time, at) => time - (times[at] ?? time));
  steps.sort((a, b) => a - b);
  return Math.max(SHORTEST_GAP, USUAL_STEPS * (steps[Math.floor(steps.length / 2)] ?? 0));
}

/** The values times `factor`, with a null in every gap, so that no line is drawn over it. */
export function broken([times, values]: Series, factor = 1): [number[], (number | null)[]] {
  const gap = gapOf([times, values]);
  const shownTimes: number[] = [];
  const shownValues: (number | null)[] = [];
  times.forEach((time, at) => {
    const before = times[at - 1];
    if (before !== undefined && time - before > gap) {
      shownTimes.push((before + time) / 2);
      shownValues.push(null);
    }
    shownTimes.push(time);
    shownValues.push((values[at] ?? 0) * factor);
  });
  return [shownTimes, shownValues];
}

/** The value nearest to a time; null in a gap, and before and after the data. */
export function valueAt([times, values]: Series, time: number): number | null {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined) return null;
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= time) low = middle;
    else high = middle;
  }
  const [before = time, after = time] = [times[low], times[high]];
  const gap = gapOf([times, values]);
  // At the ends half a gap's reach is near enough: the newest value is still the value now.
  if (time < first - gap / 2 || time > last + gap / 2) return null;
  const inside = after - before <= gap;
  const near = time - before <= after - time ? low : high;
  if (!inside && Math.abs((times[near] ?? 0) - time) > gap / 2) return null;
  return values[near] ?? null;
}
