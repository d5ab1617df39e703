// Times and ages, always by the server's clock: an operator's own clock may be wrong.

/** Milliseconds since the epoch; null for a missing or unreadable time. */
export function instant(time: string | null | undefined): number | null {
  if (!time) return null;
  const at = Date.parse(time);
  return Number.isNaN(at) ? null : at;
}

/** A UTC time as text that sorts: the API writes no more digits of a second than it needs. */
export function sortable(time: string): string {
  const [whole = "", fraction = ""] = time.replace(/Z$/, "").split(".");
  return `${whole}.${fraction.padEnd(6, "0")}Z`;
}

/** "now", "12 s", "4 min", "3 h 20 min", "2 d 4 h". */
export function duration(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  if (whole < 1) return "now";
  if (whole < 90) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** "12 s ago", "just now", or a dash when the time is not known. */
export function ago(time: string | null | undefined, now: number): string {
  const at = instant(time);
  if (at === null) return "–";
  const text = duration((now - at) / 1000);
  return text === "now" ? "just now" : `${text} ago`;
}

/** A short span between two instants, with milliseconds where they matter: "420 ms", "1.3 s", "2 min". */
export function span(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return duration(milliseconds / 1000);
}

const two = (value: number) => String(value).padStart(2, "0");

/** Local "HH:MM:SS", with the day in front when it is not today. */
export function clock(time: string | null | undefined, now: number): string {
  const at = instant(time);
  if (at === null) return "–";
  const day = new Date(at);
  const text = `${two(day.getHours())}:${two(day.getMinutes())}:${two(day.getSeconds())}`;
  const today = new Date(now);
  if (day.toDateString() === today.toDateString()) return text;
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())} ${text}`;
}

/**
 * How far the server's clock is ahead of ours, milliseconds, learnt from answers that say how old something is.
 * The smallest delay is the best witness, so the newest few readings are kept and their largest offset taken.
 */
export class ServerClock {
  #offsets: number[] = [];

  learn(lastSeen: string, ageSeconds: number, receivedAt: number): void {
    const at = instant(lastSeen);
    if (at === null) return;
    this.#offsets.push(at + ageSeconds * 1000 - receivedAt);
    if (this.#offsets.length > 8) this.#offsets.shift();
  }

  get offset(): number {
    return this.#offsets.length ? Math.max(...this.#offsets) : 0;
  }
}
