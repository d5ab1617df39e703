// Single keys for what is done often. They can be switched off: who speaks to the machine types letters without meaning to.
import { signal } from "@preact/signals";
import { VIEWS } from "../domain/route";
import { switchZone } from "./display";
import { back } from "./router";
import { preference } from "./preference";

/** What stands over the page. */
export const over = signal<"find" | "keys" | null>(null);
export const keys = preference("keys", ["on", "off"] as const);

export const KEYS: readonly (readonly [string, string])[] = [
  ["/", "Find a drone, a view, or anything by its id"],
  ["?", "These keys"],
  [`1 … ${VIEWS.length}`, "The views, from left to right"],
  ["u", "Times in UTC or local"],
  ["f", "Full screen, and out of it"],
  ["Esc", "Close what is open"],
  ["↑ ↓ Page Home End", "Move in the list of drones; Enter opens one"],
];

export function fullScreen(): void {
  const wanted = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  // A browser may not let the page: then nothing happens, as where a key has no meaning.
  wanted.catch(() => {});
}

const TYPED = "input:not([type=range], [type=checkbox], [type=radio]), select, textarea, [contenteditable]";

function pressed(event: KeyboardEvent): void {
  if (keys.value === "off" || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const { target, key } = event;
  if (target instanceof Element && target.closest(TYPED)) return;
  if (document.querySelector("dialog[open]")) return;
  const view = VIEWS[Number(key) - 1];
  const act: Record<string, () => void> = {
    "/": () => (over.value = "find"),
    "?": () => (over.value = "keys"),
    u: switchZone,
    f: fullScreen,
  };
  if (/^[1-9]$/.test(key) && view) location.hash = back(view);
  else if (Object.hasOwn(act, key)) act[key]?.();
  else return;
  event.preventDefault();
}

export const startKeys = (): void => window.addEventListener("keydown", pressed);
