// What the list and the panel of alerts say alike: the state of one, how long it lasted, and what raised it, in the units
// and the zones' names that a person reads.
import type { Alert } from "../api/shapes";
import { Badge } from "../components/basics";
import { lasted } from "../domain/alert";
import { percent, UNKNOWN, words } from "../domain/format";
import { duration } from "../domain/time";
import { now } from "../state/clock";
import { distance, height } from "../state/display";
import { zones } from "../state/settings";

export function AlertState({ alert }: { alert: Alert }) {
  if (alert.status === "cleared") return <Badge tone="idle">Cleared</Badge>;
  return <Badge tone={alert.acknowledgedAt ? "warn" : "bad"}>{alert.acknowledgedAt ? "Acknowledged" : "Active"}</Badge>;
}

/** Ticks by itself, so that the table does not. */
export function Lasted({ alert }: { alert: Alert }) {
  return <>{duration(lasted(alert, alert.clearedAt ? 0 : now.value))}</>;
}

export function valueOf({ code, value }: Pick<Alert, "code" | "value">): string {
  if (value === null) return UNKNOWN;
  if (Array.isArray(value)) {
    const named = code === "no_fly_zone" ? value.map(zoneName) : value.map(words);
    return named.join(", ") || UNKNOWN;
  }
  switch (code) {
    case "low_battery":
      return percent(value);
    case "altitude_limit":
      return height(value);
    case "outside_geofence":
      return `${distance(value)} from home`;
    case "telemetry_delayed":
      return `${duration(value)} late`;
    default:
      return String(value);
  }
}

const zoneName = (id: string): string =>
  zones.value.features.find(({ properties }) => properties?.id === id)?.properties?.name || id;
