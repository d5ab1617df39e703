// On a narrow screen there is room for the map or the list: which of the two.
import type { Signal } from "@preact/signals";
import { Icon } from "./icons";

export type NarrowTab = "map" | "list";

export function NarrowTabs({ tab }: { tab: Signal<NarrowTab> }) {
  return (
    <div class="narrow-tabs" role="group" aria-label="Show">
      <button type="button" aria-pressed={tab.value === "map"} onClick={() => (tab.value = "map")}>
        <Icon name="map" /> Map
      </button>
      <button type="button" aria-pressed={tab.value === "list"} onClick={() => (tab.value = "list")}>
        <Icon name="list" /> List
      </button>
    </div>
  );
}
