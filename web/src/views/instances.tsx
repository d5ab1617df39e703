// Every orchestration that the engine knows: batches', alerts' and all others; what runs, what failed, what stands.
import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Instance } from "../api/shapes";
import { INSTANCE_STATUSES } from "../api/types";
import { Select, StatusBadge, TextFilter } from "../components/basics";
import { Icon } from "../components/icons";
import { Period } from "../components/period";
import { type Column, ListTable } from "../components/tableView";
import { Clock } from "../components/times";
import { words } from "../domain/format";
import { boundsOf } from "../domain/period";
import { serverNow } from "../state/clock";
import { PagedList } from "../state/pagedList";
import { go, refine, route } from "../state/router";
import { InstancePanel } from "./instancePanel";

// Each question makes the engine look through all that it has.
const EVERY_MS = 15_000;
const GROUPS: readonly (readonly [string, string])[] = [
  ["", "All"],
  ["Pending,Running,ContinuedAsNew,Suspended", "Not ended"],
];

export function InstancesView() {
  const { open, query } = route.value;
  const { status = "", name = "", idPrefix = "", last = "", from = "", to = "" } = query;
  const list = useMemo(() => {
    let bounds = boundsOf(query, serverNow());
    return new PagedList<Instance>((continuation, anew) => {
      if (anew) bounds = boundsOf(query, serverNow());
      return api.instances({ status, name, idPrefix, ...bounds, limit: 100, continuation });
    }, EVERY_MS);
  }, [status, name, idPrefix, last, from, to]);
  useEffect(() => list.start(), [list]);
  const statuses = [...GROUPS, ...INSTANCE_STATUSES.map((one) => [one, words(one)] as const)];
  return (
    <main id="main" class={`view${open ? " has-panel" : ""}`} tabIndex={-1}>
      <div class="view-main">
        <div class="view-head">
          <h1>Instances</h1>
          <div class="view-filters">
            <Select label="Status" value={status} onChange={(value) => refine({ status: value })} options={statuses} />
            <TextFilter
              label="Orchestrator"
              value={name}
              change={(value) => refine({ name: value })}
              known={[...new Set(list.items.value.map((instance) => instance.name))].sort()}
            />
            <TextFilter label="Id begins with" value={idPrefix} change={(value) => refine({ idPrefix: value })} />
            <Period label="Created" query={query} refine={refine} />
          </div>
          <button type="button" class="quiet" onClick={list.refresh}>
            <Icon name="replay" /> Look again
          </button>
        </div>
        <ListTable
          view="instances"
          caption="Orchestrations, newest first"
          list={list}
          columns={COLUMNS}
          empty="No orchestration matches."
        />
      </div>
      {open && (
        <InstancePanel
          key={open}
          id={open}
          changed={list.refresh}
          close={() => go({ view: "instances", query })}
        />
      )}
    </main>
  );
}

const COLUMNS: readonly Column<Instance>[] = [
  { head: "Created", cell: (instance) => <Clock time={instance.createdAt} /> },
  { head: "Status", cell: (instance) => <StatusBadge status={instance.status} /> },
  { head: "Orchestrator", look: () => "mono", cell: (instance) => instance.name },
  { head: "Id", look: () => "mono id-cell", title: (instance) => instance.id, cell: (instance) => instance.id },
  {
    head: "Says",
    look: () => "error-cell",
    title: (instance) => said(instance.customStatus),
    cell: (instance) => said(instance.customStatus),
  },
  {
    head: "Error",
    look: () => "error-cell",
    title: (instance) => instance.error ?? "",
    cell: (instance) => instance.error ?? "",
  },
  { head: "Last moved", cell: (instance) => <Clock time={instance.updatedAt} /> },
];

/** What the orchestrator says of itself, in a line. */
function said(status: unknown): string {
  if (status === null || status === undefined) return "";
  if (typeof status === "string") return status;
  const stage = (status as { stage?: unknown }).stage;
  return typeof stage === "string" ? words(stage) : JSON.stringify(status);
}
