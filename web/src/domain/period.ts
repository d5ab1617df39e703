// A stretch of time that a list is narrowed to: so long until now, or from one moment to another.

export const PERIODS = [
  ["15m", "Last 15 min", 15 * 60],
  ["1h", "Last hour", 3600],
  ["24h", "Last 24 h", 86_400],
  ["7d", "Last 7 days", 7 * 86_400],
] as const;

export interface Bounds {
  /** UTC, as the API takes it; empty for an open end. */
  from: string;
  to: string;
}

/** What the address says, as bounds; `now` in milliseconds since the epoch. */
export function boundsOf(query: Readonly<Record<string, string>>, now: number): Bounds {
  const { last = "", from = "", to = "" } = query;
  const period = PERIODS.find(([key]) => key === last);
  if (!period) return { from, to };
  return { from: new Date(Math.floor(now / 1000 - period[2]) * 1000).toISOString(), to: "" };
}

/** The choice that the address stands for. */
export function chosenPeriod(query: Readonly<Record<string, string>>): string {
  const { last = "", from = "", to = "" } = query;
  if (PERIODS.some(([key]) => key === last)) return last;
  return last === "range" || from !== "" || to !== "" ? "range" : "";
}
