// One alert: what raised it, what became of it, what can be done, and the drone's other alerts.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { Alert } from "../api/shapes";
import { Action } from "../components/action";
import { AlertKind, KindIcon } from "../components/alertKind";
import { Empty, Problem } from "../components/basics";
import { Icon } from "../components/icons";
import { Id } from "../components/id";
import { Facts, SidePanel } from "../components/listPage";
import { Clock } from "../components/times";
import { course } from "../domain/alert";
import { coordinates, UNKNOWN, words } from "../domain/format";
import { question } from "../state/ask";
import { height } from "../state/display";
import { Poller } from "../state/poller";
import { link, route } from "../state/router";
import { acknowledge, noticeName, notifyAgain } from "./alertActions";
import { AlertState, Lasted, valueOf } from "./alertParts";

const EVERY_MS = 2000;
const OTHERS = 20;

export function AlertPanel({ id, close, changed }: { id: string; close: () => void; changed: () => void }) {
  const alert = useSignal<Alert | null>(null);
  const problem = useSignal<unknown>(null);
  const again = useSignal(0);
  useEffect(() => {
    const poller = new Poller(
      async () => {
        alert.value = await api.alert(id);
      },
      EVERY_MS,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    return () => poller.stop();
  }, [id, again.value]);
  const known = alert.value;
  const done = () => {
    again.value += 1;
    changed();
  };
  return (
    <SidePanel title={known ? words(known.code) : "Alert"} label={`Alert ${id}`} close={close}>
      {problem.value !== null && <Problem problem={problem.value} />}
      {!known && problem.value === null && <Empty>Asking for the alert…</Empty>}
      {known && <Body alert={known} changed={done} />}
      {known && <Others alert={known} />}
    </SidePanel>
  );
}

function Body({ alert, changed }: { alert: Alert; changed: () => void }) {
  const { position } = alert;
  return (
    <>
      <div class="detail-status">
        <KindIcon code={alert.code} size={18} />
        <AlertState alert={alert} />
        <a href={link({ view: "fleet", open: alert.deviceId })}>{alert.deviceId}</a>
        <strong>{valueOf(alert)}</strong>
      </div>
      {alert.note && <p class="quote">{alert.note}</p>}
      <div class="actions">
        <Action
          class="primary"
          unless={alert.acknowledgedAt ? "It is acknowledged already." : null}
          onClick={() => (question.value = acknowledge(alert, changed))}
        >
          <Icon name="check" /> Acknowledge
        </Action>
        {alert.undelivered.length > 0 && (
          <Action class="quiet" onClick={() => (question.value = notifyAgain(alert, changed))}>
            <Icon name="replay" /> Notify again
          </Action>
        )}
        {alert.flightId && (
          <a class="button quiet" href={link({ view: "flights", open: alert.flightId })}>
            Its flight
          </a>
        )}
        <a class="button quiet" href={link({ view: "instances", open: alert.instanceId })}>
          Its orchestration
        </a>
      </div>
      {alert.undelivered.length > 0 && (
        <p class="warn-text">
          <Icon name="alert" size={13} /> Not every receiver got: {alert.undelivered.map(noticeName).join(", ")}.
        </p>
      )}
      <section aria-label="What became of it">
        <h3>What became of it</h3>
        <ol class="course">
          {course(alert).map(({ what, at }) => (
            <li key={what}>
              <span>
                {words(what)}
                {what === "acknowledged" && alert.acknowledgedBy && ` by ${alert.acknowledgedBy}`}
              </span>
              <Clock time={at} />
            </li>
          ))}
        </ol>
      </section>
      <Facts
        facts={[
          ["Lasted", <Lasted key="l" alert={alert} />],
          ["Place", coordinates(position?.latitude, position?.longitude)],
          ["Height", height(position?.height ?? position?.altitude)],
          ["Flight", alert.flightId ? <Id key="f" value={alert.flightId} what="flight's id" /> : UNKNOWN],
          ["Alert", <Id key="a" value={alert.id} what="alert's id" />],
          ["Instance", <Id key="i" value={alert.instanceId} what="instance's id" />],
        ]}
      />
    </>
  );
}

/** The episodes of the same drone, newest first. */
function Others({ alert }: { alert: Alert }) {
  const others = useSignal<readonly Alert[] | null>(null);
  useEffect(() => {
    let wanted = true;
    void api.alerts({ deviceId: alert.deviceId, limit: OTHERS }).then(
      ({ items }) => wanted && (others.value = items),
      () => {
        // What is asked for every other second says what is wrong.
      },
    );
    return () => {
      wanted = false;
    };
  }, [alert.deviceId, alert.status]);
  const list = others.value?.filter(({ id }) => id !== alert.id);
  if (!list) return null;
  const { query } = route.value;
  return (
    <section aria-label="Other alerts of this drone">
      <h3>Other alerts of this drone</h3>
      {list.length === 0 && <p class="muted">None that is kept.</p>}
      <ul class="breakdown">
        {list.map((other) => (
          <li key={other.id}>
            <a href={link({ view: "alerts", open: other.id, query })}>
              <AlertKind code={other.code} />
            </a>
            <span class="muted">
              <Clock time={other.raisedAt} />, <Lasted alert={other} />
              {other.status === "active" && " so far"}
            </span>
          </li>
        ))}
      </ul>
      {list.length >= OTHERS - 1 && (
        <a href={link({ view: "alerts", query: { deviceId: alert.deviceId, status: "any" } })}>All of this drone</a>
      )}
    </section>
  );
}
