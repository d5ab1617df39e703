// The drone that is open, and its track as the map draws it.
import { signal } from "@preact/signals";
import { go, route } from "./router";

/** Points of the open drone's track, longitude and latitude; set by the detail, drawn by the map. */
export const track = signal<[number, number][]>([]);

export function openDrone(id: string | null): void {
  const { view, query } = route.value;
  go({ view: "fleet", open: id, query: view === "fleet" ? query : {} });
}
