// A drone's stored messages as series and as a track.
import type { Message } from "../api/shapes";
import { instant, sortable } from "./time";

/** Messages by time, each once; `keep` drops those before (milliseconds since the epoch). */
export function mergeHistory(
  known: readonly Message[],
  fresh: readonly Message[],
  keep: number,
): Message[] {
  const byId = new Map<string, Message>();
  for (const message of [...known, ...fresh]) {
    if ((instant(message.time) ?? 0) >= keep) byId.set(message.id, message);
  }
  return [...byId.values()]
    .map((message) => ({ message, key: `${sortable(message.time)} ${message.id}` }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ message }) => message);
}

export type Measure = "battery" | "altitude" | "height" | "groundSpeed";

const VALUE: Record<Measure, (message: Message) => number | null | undefined> = {
  battery: (message) => message.battery,
  altitude: (message) => message.position?.altitude,
  height: (message) => message.position?.height,
  groundSpeed: (message) => message.groundSpeed,
};

/** [seconds since the epoch], [value] of the messages that say it. */
export function series(messages: readonly Message[], measure: Measure): [number[], number[]] {
  const times: number[] = [];
  const values: number[] = [];
  for (const message of messages) {
    const value = VALUE[measure](message);
    const at = instant(message.time);
    if (typeof value !== "number" || at === null) continue;
    times.push(at / 1000);
    values.push(value);
  }
  return [times, values];
}

/** [longitude, latitude] of the messages that say both, without standing still. */
export function trackOf(messages: readonly Message[]): [number, number][] {
  const points: [number, number][] = [];
  for (const { position } of messages) {
    const { latitude, longitude } = position ?? {};
    if (typeof latitude !== "number" || typeof longitude !== "number") continue;
    const last = points.at(-1);
    if (!last || last[0] !== longitude || last[1] !== latitude) points.push([longitude, latitude]);
  }
  return points;
}

const LONGEST_FORECAST = 24 * 3600;

/** Seconds until a falling series is at zero, going on as over its last `windowSeconds`; null when it does not fall, or
 * when there is too little to tell. */
export function secondsLeft(
  [times, values]: [number[], number[]],
  windowSeconds: number,
): number | null {
  const last = times.at(-1);
  const value = values.at(-1);
  if (last === undefined || value === undefined) return null;
  const from = times.findIndex((time) => time >= last - windowSeconds);
  const elapsed = last - (times[from] ?? last);
  const lost = (values[from] ?? value) - value;
  if (elapsed < 60 || lost <= 0) return null;
  const left = (value / lost) * elapsed;
  return left > LONGEST_FORECAST ? null : left;
}
