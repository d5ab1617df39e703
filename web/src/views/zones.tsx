// Zones: the list, the map they are drawn on, and the one that is open, field by field and corner by corner.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Empty, Problem } from "../components/basics";
import { NarrowTabs, type NarrowTab } from "../components/narrowTabs";
import { Icon } from "../components/icons";
import { plural, words } from "../domain/format";
import type { Fault } from "../domain/zoneCheck";
import { metres, type Zone } from "../domain/zones";
import { height } from "../state/display";
import { chosen, draft, faults, load, problem, redo, said, save, saved, undo } from "../state/zoneEditing";
import { ZoneConflict } from "./zoneConflict";
import { ZoneMapPane } from "./zoneMapPane";
import { ZonePanel } from "./zonePanel";
import { ZoneVersions } from "./zoneVersions";

const narrowTab = signal<NarrowTab>("map");

export function ZonesView() {
  useEffect(() => {
    void load();
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
      const key = event.key.toLowerCase();
      const act = { z: event.shiftKey ? redo : undo, y: redo, s: () => void save() }[key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const open = draft.value.find(({ key }) => key === chosen.value);
  const tab = narrowTab.value;
  return (
    <main id="main" class="zones" tabIndex={-1}>
      <h1 class="visually-hidden">Zones</h1>
      <ZoneConflict />
      {problem.value !== null && <Problem problem={problem.value} />}
      <div class={`fleet show-${tab}${open ? " has-detail" : ""}`}>
        <NarrowTabs tab={narrowTab} />
        <ZoneList />
        <ZoneMapPane />
        {open && <ZonePanel key={open.key} zone={open} />}
      </div>
      <p class="visually-hidden" role="status">
        {said.value}
      </p>
    </main>
  );
}

function ZoneList() {
  const list = draft.value;
  return (
    <section class="fleet-list zone-list" aria-label="Zones">
      <div class="list-head">
        <span>{plural(list.length, "zone")}</span>
      </div>
      {list.length === 0 ? (
        <Empty>{saved.value ? "There is no zone yet. Draw one on the map." : "Asking for the zones…"}</Empty>
      ) : (
        <ul class="zone-rows">
          {list.map((zone) => (
            <li key={zone.key}>
              <ZoneRow zone={zone} wrong={faults.value.filter(({ key }) => key === zone.key)} />
            </li>
          ))}
        </ul>
      )}
      <ZoneVersions />
    </section>
  );
}

function ZoneRow({ zone, wrong }: { zone: Zone; wrong: readonly Fault[] }) {
  const { key, id, name, kind, floor, ceiling } = zone;
  const shown = (metresTyped: string, none: string) => (metresTyped ? height(metres(metresTyped)) : none);
  const heights = floor || ceiling ? `${shown(floor, "Ground")} to ${shown(ceiling, "∞")}` : "All heights";
  return (
    <button
      type="button"
      class="zone-row"
      aria-pressed={chosen.value === key}
      onClick={() => (chosen.value = chosen.value === key ? null : key)}
    >
      <span class={`swatch ${kind === "no_fly" ? "no-fly" : "geofence"}`} aria-hidden="true" />
      <span class="row-main">
        <span class="row-id">{name || id || "No id"}</span>
        <span class="row-sub">
          {words(kind)} · {heights}
        </span>
      </span>
      {wrong.length > 0 && (
        <span class="row-alert">
          <Icon name="alert" size={13} /> {wrong.length} <span class="visually-hidden">wrong</span>
        </span>
      )}
    </button>
  );
}
