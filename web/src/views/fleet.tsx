// The fleet: list, map and the drone that is open, side by side; one at a time on a narrow screen.
import { signal } from "@preact/signals";
import { connectionState, connection } from "../state/fleet";
import { route } from "../state/router";
import { Problem } from "../components/basics";
import { NarrowTabs, type NarrowTab } from "../components/narrowTabs";
import { DroneDetail } from "./droneDetail";
import { FleetList } from "./fleetList";
import { MapPane } from "./mapPane";

const narrowTab = signal<NarrowTab>("map");

export function FleetView() {
  const { open } = route.value;
  const tab = narrowTab.value;
  if (connectionState.value === "denied") {
    return (
      <main id="main" class="view" tabIndex={-1}>
        <h1 class="visually-hidden">Fleet</h1>
        <Problem problem={connection.value.problem} />
      </main>
    );
  }
  return (
    <main id="main" class={`fleet show-${tab}${open ? " has-detail" : ""}`} tabIndex={-1}>
      <h1 class="visually-hidden">Fleet</h1>
      <NarrowTabs tab={narrowTab} />
      <FleetList />
      <MapPane />
      {open && <DroneDetail key={open} id={open} />}
    </main>
  );
}
