// One drone: what is known of it, how old each value is, its alerts, and its last while as plots.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api/client";
import type { Drone } from "../api/shapes";
import { AlertKind } from "../components/alertKind";
import { ConnectivityBadge, Empty, Problem } from "../components/basics";
import { Icon } from "../components/icons";
import { Ago, Clock } from "../components/times";
import { connectivityOf } from "../domain/connectivity";
import { coordinates, heading, percent, UNKNOWN, words } from "../domain/format";
import { distance, height, speed } from "../state/display";
import { now } from "../state/clock";
import { Poller } from "../state/poller";
import { config, zones } from "../state/settings";
import { link } from "../state/router";
import { DroneHistory } from "./droneHistory";
import { RegistrationLine } from "./registration";
import { openDrone, track } from "../state/open";

const EVERY_MS = 2000;

export function DroneDetail({ id }: { id: string }) {
  const drone = useSignal<Drone | null>(null);
  const problem = useSignal<unknown>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    // Where the detail takes the list's place, the focus would be lost with the list.
    const list = document.querySelector<HTMLElement>(".virtual-list");
    if (list?.offsetParent == null) heading.current?.focus({ preventScroll: true });
    return () => {
      if (document.activeElement === document.body) {
        document.querySelector<HTMLElement>(".virtual-list")?.focus({ preventScroll: true });
      }
    };
  }, [id]);

  useEffect(() => {
    const poller = new Poller(
      async () => {
        drone.value = await api.drone(id);
      },
      EVERY_MS,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) openDrone(null);
    };
    window.addEventListener("keydown", onKey);
    return () => {
      poller.stop();
      window.removeEventListener("keydown", onKey);
      track.value = [];
    };
  }, [id]);

  const known = drone.value;
  return (
    <aside class="detail" aria-label={`Drone ${id}`}>
      <header class="detail-head">
        <div>
          <h2 ref={heading} tabIndex={-1}>
            {id}
          </h2>
        </div>
        <button
          type="button"
          class="icon-button"
          aria-label="Close the drone"
          title="Close (Esc)"
          onClick={() => openDrone(null)}
        >
          <Icon name="close" />
        </button>
      </header>
      {known && <RegistrationLine id={id} shown={known.registration} />}
      {problem.value !== null && <Problem problem={problem.value} />}
      {known && <State drone={known} />}
      {!known && problem.value === null && <Empty>Asking for {id}…</Empty>}
      {known && <DroneHistory id={id} lastSeen={known.lastSeen} />}
      {known && <Provenance drone={known} />}
    </aside>
  );
}

function State({ drone }: { drone: Drone }) {
  const state = connectivityOf(drone, config.value, now.value);
  return (
    <>
      <div class="detail-status">
        <ConnectivityBadge state={state} />
        <span>{words(drone.flightMode)}</span>
        <span class="muted">
          seen <Ago time={drone.lastSeen} />
        </span>
      </div>
      {drone.alerts.length > 0 && (
        <ul class="alerts" aria-label="Alerts">
          {drone.alerts.map((alert) => (
            <li key={alert.code}>
              <AlertKind code={alert.code} />
              <span class="since">
                since <Clock time={alert.at} />
              </span>
            </li>
          ))}
        </ul>
      )}
      <Values drone={drone} />
    </>
  );
}

function Values({ drone }: { drone: Drone }) {
  const { position, health, derived } = drone;
  const at = drone.updatedAt ?? {};
  const names = useComputed(
    () => new Map(zones.value.features.map(({ properties: p }) => [p?.id ?? "", p?.name ?? ""])),
  );
  const inside = derived?.zones?.map((zone) => names.value.get(zone) || zone).join(", ");
  const sensor = (ok: boolean | null | undefined) =>
    ok === null || ok === undefined ? UNKNOWN : ok ? "OK" : "Fault";
  return (
    <table class="values">
      <caption class="visually-hidden">Values and their age</caption>
      <thead class="visually-hidden">
        <tr>
          <th scope="col">Value</th>
          <th scope="col">Reading</th>
          <th scope="col">Age</th>
        </tr>
      </thead>
      <tbody>
        <Value label="Battery" value={percent(drone.battery)} at={at["battery"]} />
        <Value
          label="Flight mode"
          value={
            drone.flightMode === "unknown" && drone.flightModeNumber != null
              ? `Unknown (${drone.flightModeNumber})`
              : words(drone.flightMode)
          }
          at={at["flightMode"]}
        />
        <Value
          label="Position"
          value={coordinates(position?.latitude, position?.longitude)}
          at={at["position"]}
        />
        <Value label="Altitude" value={height(position?.altitude)} at={at["position"]} />
        <Value label="Ground speed" value={speed(drone.groundSpeed)} at={at["groundSpeed"]} />
        <Value label="Heading" value={heading(drone.heading)} at={at["heading"]} />
        <Value
          label="From home"
          value={distance(derived?.distanceFromHome)}
          at={derived?.distanceFromHome == null ? null : at["position"]}
        />
        <Value
          label="Zones"
          value={inside || (derived?.zones ? "None" : UNKNOWN)}
          at={derived?.zones ? at["position"] : null}
        />
        <Value label="Gyrometer" value={sensor(health?.gyrometer)} at={health ? at["health"] : null} />
        <Value
          label="Accelerometer"
          value={sensor(health?.accelerometer)}
          at={health ? at["health"] : null}
        />
        <Value
          label="Magnetometer"
          value={sensor(health?.magnetometer)}
          at={health ? at["health"] : null}
        />
      </tbody>
    </table>
  );
}

function Value({ label, value, at }: { label: string; value: string; at: string | null | undefined }) {
  const old = useSignal(false);
  useSignalEffect(() => {
    const limit = config.value?.staleSeconds ?? 60;
    old.value = at != null && now.value - Date.parse(at) > limit * 1000;
  });
  return (
    <tr class={value === "Fault" ? "fault" : ""}>
      <th scope="row">{label}</th>
      <td>{value}</td>
      <td class={old.value ? "age old" : "age"}>{at ? <Ago time={at} /> : UNKNOWN}</td>
    </tr>
  );
}

function Provenance({ drone }: { drone: Drone }) {
  const last = drone.lastMessage;
  return (
    <footer class="provenance">
      {last && (
        <p>
          Last message: partition {last.partition}, sequence number {last.sequenceNumber}, enqueued{" "}
          <Clock time={last.enqueuedAt} />
        </p>
      )}
      <p class="provenance-links">
        <a href={link({ view: "alerts", query: { deviceId: drone.id, status: "any" } })}>Alerts of this drone</a>
        <a href={link({ view: "flights", query: { deviceId: drone.id } })}>Flights of this drone</a>
        <a href={link({ view: "deadletters", query: { deviceId: drone.id, status: "any" } })}>
          Dead letters of this drone
        </a>
        <a href={`/api/drones/${encodeURIComponent(drone.id)}`} target="_blank" rel="noopener">
          JSON <Icon name="external" size={12} />
        </a>
        <a
          href={`/api/drones/${encodeURIComponent(drone.id)}/history?format=geojson`}
          target="_blank"
          rel="noopener"
        >
          Track as GeoJSON <Icon name="external" size={12} />
        </a>
      </p>
    </footer>
  );
}
