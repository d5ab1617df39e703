// The connection state of a drone between two answers: the server's own rule, on the server's clock.
import type { Config, Connectivity, Drone } from "../api/shapes";
import { instant } from "./time";

export const CONNECTIVITIES: readonly Connectivity[] = ["online", "stale", "offline"];

/** What the server said, or later state reached since, when the thresholds are known. */
export function connectivityOf(
  drone: Pick<Drone, "connectivity" | "lastSeen">,
  config: Pick<Config, "staleSeconds" | "offlineSeconds"> | null,
  now: number,
): Connectivity {
  const at = instant(drone.lastSeen);
  const { staleSeconds, offlineSeconds } = config ?? {};
  if (at === null || typeof staleSeconds !== "number" || typeof offlineSeconds !== "number") {
    return drone.connectivity;
  }
  const age = (now - at) / 1000;
  if (age > offlineSeconds) return "offline";
  return age > staleSeconds ? "stale" : "online";
}
