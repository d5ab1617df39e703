// Flights of the fleet, newest first: of a drone, of a day; one is looked at again in the panel beside the list.
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Flight } from "../api/shapes";
import { Clock, StatusBadge, TextFilter } from "../components/basics";
import { ListFrame } from "../components/listPage";
import { distance, integer, metres, percent, speed, UNKNOWN, words } from "../domain/format";
import { duration } from "../domain/time";
import { PagedList } from "../state/pagedList";
import { go, link, route } from "../state/router";
import { FlightPanel } from "./flightPanel";

const DAY_MS = 86_400_000;

export function FlightsView() {
  const { open, query } = route.value;
  const { deviceId = "", day = "" } = query;
  const list = useMemo(
    () =>
      new PagedList<Flight>((continuation) =>
        api.flights({ deviceId, ...rangeOf(day), limit: 100, continuation }),
      ),
    [deviceId, day],
  );
  useEffect(() => list.start(), [list]);
  const filterBy = (part: Record<string, string>) => go({ view: "flights", query: { ...query, ...part } });
  return (
    <main id="main" class={`view${open ? " has-panel" : ""}`} tabIndex={-1}>
      <div class="view-main">
        <div class="view-head">
          <h1>Flights</h1>
          <div class="view-filters">
            <TextFilter label="Drone" value={deviceId} change={(value) => filterBy({ deviceId: value })} />
            <label class="field">
              <span>Day (UTC)</span>
              <input
                type="date"
                class="day"
                value={day}
                onChange={(event) => filterBy({ day: event.currentTarget.value })}
              />
            </label>
          </div>
        </div>
        <ListFrame list={list} empty="No flight matches.">
          <table class="grid">
            <caption class="visually-hidden">Flights, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Started</th>
                <th scope="col">Drone</th>
                <th scope="col">Status</th>
                <th scope="col" class="number">
                  Duration
                </th>
                <th scope="col" class="number">
                  Distance
                </th>
                <th scope="col" class="number">
                  Highest
                </th>
                <th scope="col" class="number">
                  Fastest
                </th>
                <th scope="col" class="number">
                  Battery
                </th>
                <th scope="col">Alerts</th>
                <th scope="col" class="number">
                  Messages
                </th>
              </tr>
            </thead>
            <tbody>
              {list.items.value.map((flight) => (
                <FlightRow key={flight.id} flight={flight} open={flight.id === open} query={query} />
              ))}
            </tbody>
          </table>
        </ListFrame>
      </div>
      {open && <FlightPanel key={open} id={open} close={() => go({ view: "flights", query })} />}
    </main>
  );
}

/** From midnight to midnight of a day as the date field writes it. */
function rangeOf(day: string): { from?: string; to?: string } {
  const start = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(start)) return {};
  return { from: new Date(start).toISOString(), to: new Date(start + DAY_MS).toISOString() };
}

function FlightRow({
  flight,
  open,
  query,
}: {
  flight: Flight;
  open: boolean;
  query: Record<string, string>;
}) {
  return (
    <tr class={open ? "open" : ""}>
      <th scope="row">
        <a
          href={link({ view: "flights", open: flight.id, query })}
          {...(open ? { "aria-current": "true" } : {})}
        >
          <Clock time={flight.startedAt} />
        </a>
      </th>
      <td class="mono">{flight.deviceId}</td>
      <td>
        <StatusBadge status={flight.status} />
      </td>
      <td class="number">{duration(flight.durationSeconds)}</td>
      <td class="number">{distance(flight.distanceMetres)}</td>
      <td class="number">{metres(flight.maxHeight ?? flight.maxAltitude)}</td>
      <td class="number">{speed(flight.maxGroundSpeed)}</td>
      <td class="number">
        {percent(flight.batteryStart)} → {percent(flight.batteryEnd)}
      </td>
      <td class={flight.alerts.length ? "warn-text" : ""}>
        {flight.alerts.length ? flight.alerts.map((code) => words(code)).join(", ") : UNKNOWN}
      </td>
      <td class="number">{integer(flight.messages)}</td>
    </tr>
  );
}
