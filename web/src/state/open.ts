// The drone that is open, and its track as the map draws it.
import { signal } from "@preact/signals";
import { go } from "./router";

/** Points of the open drone's track, longitude and latitude; set by the detail, drawn by the map. */
export const track = signal<[number, number][]>([]);

export function openDrone(id: string | null): void {
  go({ view: "fleet", open: id });
}
