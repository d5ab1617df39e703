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

/** Whose clock times are read on: UTC, as in ids, the API and the command line, or that of the person's machine. */
export const ZONES = ["local", "utc"] as const;
export type Zone = (typeof ZONES)[number];

/** The instant with its fields moved, so that the getters for UTC read the zone's clock. */
const onClock = (at: number, zone: Zone): Date =>
  new Date(zone === "utc" ? at : at - new Date(at).getTimezoneOffset() * 60_000);

/** "UTC", "UTC+2", "UTC-3:30": the zone's offset at that instant, since summer and winter differ. */
export function zoneName(at: number, zone: Zone): string {
  const minutes = zone === "utc" ? 0 : -new Date(at).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const rest = size % 60 ? `:${two(size % 60)}` : "";
  return `UTC${minutes < 0 ? "-" : "+"}${Math.floor(size / 60)}${rest}`;
}

const dateOf = (day: Date) => `${day.getUTCFullYear()}-${two(day.getUTCMonth() + 1)}-${two(day.getUTCDate())}`;
const timeOf = (day: Date) => `${two(day.getUTCHours())}:${two(day.getUTCMinutes())}:${two(day.getUTCSeconds())}`;

/** "HH:MM:SS" in the zone, with the day in front when it is not today there. */
export function clock(time: string | null | undefined, now: number, zone: Zone): string {
  const at = instant(time);
  if (at === null) return "–";
  const day = onClock(at, zone);
  const date = dateOf(day);
  return date === dateOf(onClock(now, zone)) ? timeOf(day) : `${date} ${timeOf(day)}`;
}

/** Day, time and zone in full: "2026-01-31 14:05:06 UTC+1". */
export function moment(time: string | null | undefined, zone: Zone): string {
  const at = instant(time);
  if (at === null) return "–";
  const day = onClock(at, zone);
  return `${dateOf(day)} ${timeOf(day)} ${zoneName(at, zone)}`;
}

/** A mark on an axis of time whose marks are `step` seconds apart: "14:05", with seconds below a minute, the day above one. */
export function mark(seconds: number, step: number, zone: Zone): string {
  const day = onClock(seconds * 1000, zone);
  if (step >= 86_400) return dateOf(day).slice(5);
  return step < 60 ? timeOf(day) : timeOf(day).slice(0, 5);
}

/** What a field of type datetime-local holds for an instant; empty for none. */
export function toField(time: string | null | undefined, zone: Zone): string {
  const at = instant(time);
  if (at === null) return "";
  const day = onClock(at, zone);
  return `${dateOf(day)}T${timeOf(day)}`;
}

/** The instant, in UTC as the API writes it, that a field of type datetime-local says; empty for none. */
export function fromField(text: string, zone: Zone): string {
  // Without an offset, a time with a date is read on the machine's clock.
  const at = instant(text && (zone === "utc" ? `${text}Z` : text));
  return at === null ? "" : new Date(at).toISOString().replace(".000Z", "Z");
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
