// What the views are called.
import type { View } from "../domain/route";

export const TITLES: Record<View, { title: string; icon: string }> = {
  fleet: { title: "Fleet", icon: "map" },
  flights: { title: "Flights", icon: "path" },
  alerts: { title: "Alerts", icon: "bell" },
  zones: { title: "Zones", icon: "fence" },
  pipeline: { title: "Pipeline", icon: "pulse" },
  batches: { title: "Batches", icon: "layers" },
  deadletters: { title: "Dead letters", icon: "tray" },
  instances: { title: "Instances", icon: "steps" },
};
