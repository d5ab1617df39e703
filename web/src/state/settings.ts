// What the server tells the page about itself: configuration and zones. Asked again until answered, then now and then.
import { signal } from "@preact/signals";
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { Config, ZoneCollection } from "../api/shapes";
import { Poller } from "./poller";

const EVERY_MS = 60_000;

export const config = signal<Config | null>(null);
export const zones = signal<ZoneCollection>({ type: "FeatureCollection", features: [] });

/** The value, or null where this server does not have such a thing. */
async function optional<T>(ask: Promise<T>): Promise<T | null> {
  try {
    return await ask;
  } catch (error) {
    if (error instanceof ApiProblem && ["missing", "signIn", "forbidden"].includes(error.kind)) {
      return null;
    }
    throw error;
  }
}

/** Sets a signal only when the value differs, so that nothing is drawn anew for the same answer. */
function change<T>(target: { value: T }, value: T | null): void {
  if (value !== null && JSON.stringify(value) !== JSON.stringify(target.value)) target.value = value;
}

export function startSettings(): void {
  new Poller(async () => {
    change(config, await optional(api.config()));
    change(zones, await optional(api.zones()));
  }, EVERY_MS).start();
}
