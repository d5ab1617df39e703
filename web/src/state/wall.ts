// The wall display: `?display=wall`, and how many seconds each picture stands (`&seconds=20`).

const asked = new URLSearchParams(location.search);

export const isWall = asked.get("display") === "wall";

const SHORTEST = 5;
const USUAL = 15;
const LONGEST = 600;

function secondsAsked(): number {
  const seconds = Number(asked.get("seconds") ?? USUAL);
  return Number.isFinite(seconds) ? Math.min(LONGEST, Math.max(SHORTEST, seconds)) : USUAL;
}

export const wallSeconds = secondsAsked();

/** Asks the machine to keep its screen on, as often as the page comes to the front. */
export function keepAwake(): void {
  const ask = () => {
    if (document.visibilityState !== "visible") return;
    // A machine that is low on power says no; then it is dark, and nothing else is wrong.
    void navigator.wakeLock?.request("screen").catch(() => {});
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}
