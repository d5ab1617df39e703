// Flights of the fleet, newest first: of a drone, of a day; one is looked at again in the panel beside the list.
import { useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Flight } from "../api/shapes";
import { StatusBadge, TextFilter } from "../components/basics";
import { Period } from "../components/period";
import { TableView, type Column } from "../components/tableView";
import { Clock } from "../components/times";
import { integer, percent, UNKNOWN, words } from "../domain/format";
import { boundsOf } from "../domain/period";
import { duration } from "../domain/time";
import { serverNow } from "../state/clock";
import { distance, height, speed } from "../state/display";
import { PagedList } from "../state/pagedList";
import { go, refine, route } from "../state/router";
import { FlightPanel } from "./flightPanel";

const COLUMNS: readonly Column<Flight>[] = [
  { head: "Started", cell: ({ startedAt }) => <Clock time={startedAt} /> },
  { head: "Drone", cell: ({ deviceId }) => deviceId, look: () => "mono" },
  { head: "Status", cell: ({ status }) => <StatusBadge status={status} /> },
  { head: "Duration", number: true, cell: ({ durationSeconds }) => duration(durationSeconds) },
  { head: "Distance", number: true, cell: ({ distanceMetres }) => distance(distanceMetres) },
  { head: "Highest", number: true, cell: ({ maxHeight, maxAltitude }) => height(maxHeight ?? maxAltitude) },
  { head: "Fastest", number: true, cell: ({ maxGroundSpeed }) => speed(maxGroundSpeed) },
  {
    head: "Battery",
    number: true,
    cell: ({ batteryStart, batteryEnd }) => `${percent(batteryStart)} → ${percent(batteryEnd)}`,
  },
  {
    head: "Alerts",
    cell: ({ alerts }) => (alerts.length ? alerts.map((code) => words(code)).join(", ") : UNKNOWN),
    look: ({ alerts }) => (alerts.length ? "warn-text" : ""),
  },
  { head: "Messages", number: true, cell: ({ messages }) => integer(messages) },
];

export function FlightsView() {
  const { query } = route.value;
  const { deviceId = "", last = "", from = "", to = "" } = query;
  const list = useMemo(() => {
    let bounds = boundsOf(query, serverNow());
    return new PagedList<Flight>((continuation, anew) => {
      if (anew) bounds = boundsOf(query, serverNow());
      return api.flights({ deviceId, ...bounds, limit: 100, continuation });
    });
  }, [deviceId, last, from, to]);
  return (
    <TableView
      view="flights"
      title="Flights"
      caption="Flights, newest first"
      list={list}
      columns={COLUMNS}
      empty="No flight matches."
      filters={
        <>
          <TextFilter label="Drone" value={deviceId} change={(value) => refine({ deviceId: value })} />
          <Period label="Flown" query={query} refine={refine} />
        </>
      }
      panel={(id) => <FlightPanel key={id} id={id} close={() => go({ view: "flights", query })} />}
    />
  );
}
