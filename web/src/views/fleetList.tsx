// The list of drones: counts that filter, search, selects, and rows that say what matters at a glance.
import type { Connectivity } from "../api/shapes";
import { Dot, Empty, Select } from "../components/basics";
import { KindIcon } from "../components/alertKind";
import { Icon } from "../components/icons";
import { VirtualList } from "../components/virtualList";
import { Ago } from "../components/times";
import { CONNECTIVITIES } from "../domain/connectivity";
import { NO_FILTER, type Filter, type Row, type SortKey } from "../domain/fleet";
import { integer, percent, plural, words } from "../domain/format";
import { height, speed } from "../state/display";
import { connectionState, filter, offered, refineFleet, rows, shown } from "../state/fleet";
import { config, zones } from "../state/settings";
import { route } from "../state/router";
import { openDrone } from "../state/open";

const SORTS: readonly (readonly [SortKey, string])[] = [
  ["id", "Name"],
  ["alerts", "Most alerts"],
  ["battery", "Lowest battery"],
  ["lastSeen", "Longest silent"],
  ["altitude", "Highest"],
  ["speed", "Fastest"],
];

function CountChips() {
  const counts: Record<Connectivity, number> = { online: 0, stale: 0, offline: 0 };
  let alerting = 0;
  for (const { drone, connectivity } of rows.value) {
    counts[connectivity] += 1;
    if (drone.alerts.length) alerting += 1;
  }
  const { connectivity, alert } = filter.value;
  return (
    <div class="chips" role="group" aria-label="Filter by state">
      {CONNECTIVITIES.map((state) => (
        <button
          key={state}
          type="button"
          class={`chip ${state}`}
          aria-pressed={connectivity === state}
          onClick={() => refineFleet({ connectivity: connectivity === state ? "" : state })}
        >
          <span class="chip-count">{integer(counts[state])}</span>
          <span class="chip-label">
            <Dot state={state} /> {words(state)}
          </span>
        </button>
      ))}
      <button
        type="button"
        class="chip alerting"
        aria-pressed={alert !== ""}
        onClick={() => refineFleet({ alert: alert === "" ? "any" : "" })}
      >
        <span class="chip-count">{integer(alerting)}</span>
        <span class="chip-label">
          <Icon name="alert" size={11} /> Alerts
        </span>
      </button>
    </div>
  );
}

function Filters() {
  const { modes, alerts, zones: occupied } = offered.value;
  const names = new Map(
    zones.value.features.map(({ properties }) => [properties?.id ?? "", properties?.name ?? ""]),
  );
  const { mode, alert, zone, sort, text } = filter.value;
  const zoneIds = [...new Set([...names.keys(), ...occupied])].filter(Boolean);
  // What is chosen stays in the list even when no drone has it any more.
  const withChosen = (values: string[], chosen: string) =>
    chosen && chosen !== "any" && !values.includes(chosen) ? [...values, chosen] : values;
  return (
    <>
      <label class="search">
        <Icon name="search" />
        <span class="visually-hidden">Search drones by id, name, model or owner</span>
        <input
          type="search"
          placeholder="Search id, name, model, owner"
          value={text}
          maxLength={100}
          onInput={(event) => refineFleet({ text: event.currentTarget.value })}
        />
      </label>
      <div class="filters">
        <Select
          label="Alert"
          value={alert}
          onChange={(value) => refineFleet({ alert: value })}
          options={[
            ["", "Any or none"],
            ["any", "Any alert"],
            ...withChosen(alerts, alert).map((code) => [code, words(code)] as const),
          ]}
        />
        <Select
          label="Mode"
          value={mode}
          onChange={(value) => refineFleet({ mode: value })}
          options={[
            ["", "All modes"],
            ...withChosen(modes, mode).map((name) => [name, words(name)] as const),
          ]}
        />
        <Select
          label="Zone"
          value={zone}
          onChange={(value) => refineFleet({ zone: value })}
          options={[
            ["", "Anywhere"],
            ["none", "In no zone"],
            ...zoneIds.map((id) => [id, names.get(id) || id] as const),
          ]}
        />
        <Select
          label="Sort"
          value={sort}
          onChange={(value) => refineFleet({ sort: value as SortKey })}
          options={SORTS}
        />
      </div>
    </>
  );
}

function RowView({ row: { drone, connectivity } }: { row: Row }) {
  const low = drone.battery !== null && drone.battery < (config.value?.lowBattery ?? 0.2);
  const alerts = drone.alerts.map((alert) => words(alert.code)).join(", ");
  return (
    <>
      <Dot state={connectivity} />
      <div class="row-main">
        <span class="row-id" title={drone.id}>
          {drone.id}
          <span class="visually-hidden"> {connectivity}</span>
        </span>
        <span class="row-sub" title={drone.registration?.name ?? ""}>
          {drone.registration?.name ? `${drone.registration.name} · ` : ""}
          {drone.flightMode ? words(drone.flightMode) : "Mode unknown"}
        </span>
      </div>
      {drone.alerts.length > 0 && (
        <span class="row-alert" title={alerts}>
          {drone.alerts.map(({ code }) => (
            <KindIcon key={code} code={code} size={13} />
          ))}
          <span class="visually-hidden"> {alerts}</span>
        </span>
      )}
      <div class="row-numbers">
        <span>{height(drone.position?.altitude)}</span>
        <span>{speed(drone.groundSpeed)}</span>
      </div>
      <div class="row-battery">
        <span class={low ? "low" : ""}>{percent(drone.battery)}</span>
        <meter
          class={low ? "low" : ""}
          min={0}
          max={1}
          value={drone.battery ?? 0}
          aria-hidden="true"
        />
      </div>
      <Ago time={drone.lastSeen} />
    </>
  );
}

export function FleetList() {
  const list = shown.value;
  const all = rows.value.length;
  const filtered = Object.entries(filter.value).some(
    ([key, value]) => key !== "sort" && value !== NO_FILTER[key as keyof Filter],
  );
  return (
    <section class="fleet-list" aria-label="Drones">
      <CountChips />
      <Filters />
      <div class="list-head" role="status">
        <span>
          {filtered ? `${integer(list.length)} of ${plural(all, "drone")}` : plural(all, "drone")}
        </span>
        {filtered && (
          <button
            type="button"
            class="link"
            onClick={() => refineFleet({ ...NO_FILTER, sort: filter.value.sort })}
          >
            Clear filters
          </button>
        )}
      </div>
      {list.length === 0 ? (
        <Empty>
          {filtered
            ? "No drone matches these filters."
            : connectionState.value === "connecting"
              ? "Asking for the fleet…"
              : "No drone has reported yet."}
        </Empty>
      ) : (
        <VirtualList
          label="Drones"
          items={list}
          rowHeight={46}
          keyOf={(row) => row.drone.id}
          selected={route.value.open}
          onSelect={openDrone}
          row={(row) => <RowView row={row} />}
        />
      )}
    </section>
  );
}
