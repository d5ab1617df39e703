// One clock for the page, by the server's time, ticking once a second.
import { signal } from "@preact/signals";
import { ServerClock } from "../domain/time";

export const serverClock = new ServerClock();

export const serverNow = (): number => Date.now() + serverClock.offset;

/** Milliseconds since the epoch, server's time, as of the last tick. */
export const now = signal(serverNow());

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = serverNow();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    now.value = serverNow();
  });
}
