// Alerts of the fleet, newest first: what is wrong with which drone, since when, and who has taken it up.
import { useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Alert } from "../api/shapes";
import { AlertKind } from "../components/alertKind";
import { Select, TextFilter } from "../components/basics";
import { Period } from "../components/period";
import { TableView, type Column } from "../components/tableView";
import { Clock } from "../components/times";
import { KINDS } from "../domain/alert";
import { UNKNOWN, words } from "../domain/format";
import { boundsOf } from "../domain/period";
import { askAlertsNow } from "../state/alerts";
import { serverNow } from "../state/clock";
import { PagedList } from "../state/pagedList";
import { go, refine, route } from "../state/router";
import { AlertPanel } from "./alertPanel";
import { AlertState, Lasted, valueOf } from "./alertParts";

const taken = ({ acknowledgedAt, acknowledgedBy }: Alert) =>
  acknowledgedAt === null ? UNKNOWN : (acknowledgedBy ?? "yes");

const COLUMNS: readonly Column<Alert>[] = [
  { head: "Raised", cell: ({ raisedAt }) => <Clock time={raisedAt} /> },
  { head: "Kind", cell: ({ code }) => <AlertKind code={code} /> },
  { head: "Drone", cell: ({ deviceId }) => deviceId, look: () => "mono" },
  { head: "State", cell: (alert) => <AlertState alert={alert} /> },
  { head: "Value", number: true, cell: (alert) => valueOf(alert) },
  { head: "Lasted", number: true, cell: (alert) => <Lasted alert={alert} /> },
  {
    head: "Taken up",
    cell: taken,
    title: (alert) => taken(alert),
  },
  { head: "Note", cell: ({ note }) => note ?? UNKNOWN, look: () => "note", title: ({ note }) => note ?? "" },
  {
    head: "Notices",
    cell: ({ undelivered }) => (undelivered.length ? `${undelivered.length} undelivered` : UNKNOWN),
    look: ({ undelivered }) => (undelivered.length ? "warn-text" : ""),
  },
];

export function AlertsView() {
  const { query } = route.value;
  const { status = "active", acknowledged = "", code = "", deviceId = "", last = "", from = "", to = "" } = query;
  const list = useMemo(() => {
    let bounds = boundsOf(query, serverNow());
    const wanted = { status: status === "any" ? "" : status, acknowledged, code, deviceId, limit: 100 };
    return new PagedList<Alert>((continuation, anew) => {
      if (anew) bounds = boundsOf(query, serverNow());
      return api.alerts({ ...wanted, ...bounds, continuation });
    });
  }, [status, acknowledged, code, deviceId, last, from, to]);
  const changed = () => {
    list.refresh();
    askAlertsNow();
  };
  return (
    <TableView
      view="alerts"
      title="Alerts"
      caption="Alerts, newest first"
      list={list}
      columns={COLUMNS}
      empty={status === "active" ? "No alert is active." : "No alert matches."}
      filters={
        <>
          <Select
            label="State"
            value={status}
            onChange={(value) => refine({ status: value })}
            options={[
              ["active", "Active"],
              ["cleared", "Cleared"],
              ["any", "All"],
            ]}
          />
          <Select
            label="Taken up"
            value={acknowledged}
            onChange={(value) => refine({ acknowledged: value })}
            options={[
              ["", "Either"],
              ["false", "No"],
              ["true", "Yes"],
            ]}
          />
          <Select
            label="Kind"
            value={code}
            onChange={(value) => refine({ code: value })}
            options={[["", "All"], ...KINDS.map((kind) => [kind.code, words(kind.code)] as const)]}
          />
          <TextFilter label="Drone" value={deviceId} change={(value) => refine({ deviceId: value })} />
          <Period label="Raised" query={query} refine={refine} />
        </>
      }
      panel={(id) => (
        <AlertPanel key={id} id={id} changed={changed} close={() => go({ view: "alerts", query })} />
      )}
    />
  );
}
