// What every map of the page needs of it: a place, its size, the theme's colours and the base map that settings name.
import { computed, signal, useSignal, useSignalEffect, type Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { BaseMap } from "../map/base";
import { unitSystem } from "../state/display";
import { config } from "../state/settings";
import { theme } from "../state/theme";

/** The country in the middle of the map: without tiles, and from near, the lines alone do not tell where one is. */
export const country = signal<string | null>(null);
const fromFile = signal<string | null>(null);

/** Whom the base map wants named: by the setting, else by the file. Text, whatever it is: nothing of it becomes markup. */
export const attribution = computed(() => {
  const { mapTilesUrl, mapPmtilesUrl, mapTilesAttribution } = config.value ?? {};
  return mapTilesUrl || mapPmtilesUrl ? (mapTilesAttribution ?? fromFile.value) : null;
});

/** A map that lives as long as the component; null before it is laid out. */
export function useMap<M extends BaseMap>(
  make: (target: HTMLElement) => M,
): { target: RefObject<HTMLDivElement | null>; map: Signal<M | null> } {
  const target = useRef<HTMLDivElement>(null);
  const map = useSignal<M | null>(null);
  useEffect(() => {
    if (!target.current) return undefined;
    const made = make(target.current);
    made.onPlace = (name) => (country.value = name);
    const observer = new ResizeObserver(() => made.resized());
    observer.observe(target.current);
    map.value = made;
    return () => {
      map.value = null;
      observer.disconnect();
      made.dispose();
    };
  }, []);
  useSignalEffect(() => {
    void theme.value;
    void unitSystem.value;
    map.value?.retheme();
  });
  useSignalEffect(() => {
    const { mapTilesUrl = null, mapPmtilesUrl = null } = config.value ?? {};
    map.value?.setTiles({ url: mapTilesUrl, pmtiles: mapPmtilesUrl }, (text) => (fromFile.value = text));
  });
  return { target, map };
}
