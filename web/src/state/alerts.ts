// The alerts that nobody has taken up yet: counted in the bar, and told with a sound or a notification to who asked for it.
import { signal } from "@preact/signals";
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { Alert } from "../api/shapes";
import { News } from "../domain/alert";
import { words } from "../domain/format";
import { Poller } from "./poller";
import { preference } from "./preference";
import { go } from "./router";
import { chime } from "./sound";

const BASE_MS = 4000;
const MOST = 100;

export const OFF_ON = ["off", "on"] as const;
export const alertSound = preference("alert-sound", OFF_ON);
export const alertNotice = preference("alert-notice", OFF_ON);

/** Unacknowledged ones, newest first; `more` when there are more than these. */
export const openAlerts = signal<{ items: readonly Alert[]; more: boolean }>({ items: [], more: false });

const news = new News();

async function ask(): Promise<void> {
  let items: Alert[] = [];
  let more = false;
  try {
    const page = await api.alerts({ status: "active", acknowledged: "false", limit: MOST });
    ({ items } = page);
    more = page.continuation !== null;
  } catch (error) {
    // Who may not see alerts has none to be told of; the alerts' own view says why.
    const unseen = error instanceof ApiProblem && ["missing", "signIn", "forbidden"].includes(error.kind);
    if (!unseen) throw error;
  }
  openAlerts.value = { items, more };
  const fresh = news.fresh(items);
  if (fresh.length === 0) return;
  if (alertSound.value === "on") chime();
  if (alertNotice.value === "on") fresh.slice(0, 3).forEach(notice);
}

function notice(alert: Alert): void {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(`${words(alert.code)}: ${alert.deviceId}`, { tag: alert.id, icon: "/assets/icon.svg" });
  shown.onclick = () => {
    window.focus();
    go({ view: "alerts", open: alert.id, query: {} });
    shown.close();
  };
}

/** Turns notifications on, once the browser lets us; false when it does not. */
export async function wantNotices(): Promise<boolean> {
  if (!("Notification" in window)) return false;
  const granted = (await Notification.requestPermission()) === "granted";
  alertNotice.choose(granted ? "on" : "off");
  return granted;
}

const poller = new Poller(ask, BASE_MS);
export const askAlertsNow = poller.now;
export const startAlerts = (): void => void poller.start();
