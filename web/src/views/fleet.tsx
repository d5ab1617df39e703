// The fleet: list, map and the drone that is open, side by side; one at a time on a narrow screen.
import { signal } from "@preact/signals";
import { connectionState, connection } from "../state/fleet";
import { route } from "../state/router";
import { Icon } from "../components/icons";
import { Problem } from "../components/basics";
import { DroneDetail } from "./droneDetail";
import { FleetList } from "./fleetList";
import { MapPane } from "./mapPane";

const narrowTab = signal<"map" | "list">("map");

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
      <div class="narrow-tabs" role="group" aria-label="Show">
        <button type="button" aria-pressed={tab === "map"} onClick={() => (narrowTab.value = "map")}>
          <Icon name="map" /> Map
        </button>
        <button type="button" aria-pressed={tab === "list"} onClick={() => (narrowTab.value = "list")}>
          <Icon name="list" /> List
        </button>
      </div>
      <FleetList />
      <MapPane />
      {open && <DroneDetail key={open} id={open} />}
    </main>
  );
}
