// The map with its buttons, legend and read-outs. Everything on it is also in the list, which a screen reader can use.
import { signal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Dot } from "../components/basics";
import { Icon } from "../components/icons";
import { FleetMap, type Pointed } from "../map/fleetMap";
import { STATES, type Group } from "../map/groups";
import { coordinates, heading, integer, percent, plural, words } from "../domain/format";
import { ago } from "../domain/time";
import { height, speed } from "../state/display";
import { serverNow } from "../state/clock";
import { cadence, connectionState, rows, shown } from "../state/fleet";
import { zones } from "../state/settings";
import { route } from "../state/router";
import { openDrone, track } from "../state/open";
import { attribution, country, useMap } from "./useMap";

const followed = signal(false);
const inView = signal(0);
const place = signal<[number, number] | null>(null);

function tooltip(element: HTMLElement, pointed: Pointed | null, x: number, y: number): void {
  const lines = pointed && ("group" in pointed ? aboutGroup(pointed.group) : aboutDrone(pointed.drone));
  element.hidden = !lines;
  if (!lines) return;
  element.textContent = lines.join("\n");
  const left = x > element.parentElement!.clientWidth - 260;
  element.style.transform = `translate(${x + (left ? -12 : 14)}px, ${y + 14}px)${left ? " translateX(-100%)" : ""}`;
}

function aboutDrone(id: string): string[] | null {
  const row = rows.peek().find(({ drone }) => drone.id === id);
  if (!row) return null;
  const { drone, connectivity } = row;
  return [
    `${drone.id}${drone.registration?.name ? ` · ${drone.registration.name}` : ""}`,
    `${words(connectivity)} · ${words(drone.flightMode)} · ${ago(drone.lastSeen, serverNow())}`,
    `${percent(drone.battery)} · ${height(drone.position?.altitude)} · ${speed(drone.groundSpeed)} · ${heading(drone.heading)}`,
    ...drone.alerts.map((alert) => `Alert: ${words(alert.code)}`),
  ];
}

function aboutGroup({ members, counts }: Group): string[] {
  const parts = STATES.filter((state) => counts[state] > 0).map(
    (state) => `${integer(counts[state])} ${state === "alert" ? "with an alert" : state}`,
  );
  return [plural(members.length, "drone"), parts.join(" · "), "Click to go nearer"];
}

export function MapPane() {
  const tip = useRef<HTMLDivElement>(null);
  const { target, map } = useMap(
    (element) =>
      new FleetMap(element, {
        select: openDrone,
        hover: (pointed, x, y) => tip.current && tooltip(tip.current, pointed, x, y),
        point: (point) => (place.value = point),
        inView: (count) => (inView.value = count),
        followStopped: () => (followed.value = false),
      }),
  );

  useSignalEffect(() => {
    const list = shown.value;
    map.value?.setRows(list, cadence.peek());
  });
  useSignalEffect(() => map.value?.setZones(zones.value));
  useSignalEffect(() => map.value?.setTrack(track.value));
  useSignalEffect(() => {
    const { open } = route.value;
    map.value?.select(open);
    if (!open) followed.value = false;
  });
  useSignalEffect(() => map.value?.follow(followed.value));

  const { open } = route.value;
  const state = connectionState.value;
  return (
    <section class={`map-pane ${state}`} aria-label="Map">
      <div
        class="map"
        ref={target}
        tabIndex={0}
        role="application"
        aria-label="Map of the fleet. Arrow keys move it, plus and minus zoom. The list has the same drones."
      />
      <div class="map-tip" ref={tip} hidden aria-hidden="true" />
      <div class="map-buttons" role="group" aria-label="Map view">
        <MapButton icon="plus" label="Zoom in" onClick={() => map.value?.zoomBy(1)} />
        <MapButton icon="minus" label="Zoom out" onClick={() => map.value?.zoomBy(-1)} />
        <MapButton icon="fit" label="Show the whole fleet" onClick={() => map.value?.showAll()} />
        {open && (
          <MapButton
            icon="target"
            label="Follow the open drone"
            pressed={followed.value}
            onClick={() => {
              followed.value = !followed.value;
              if (followed.value) map.value?.centre(open);
            }}
          />
        )}
      </div>
      <Legend />
      <div class="map-readout">
        <span>{plural(inView.value, "drone")} in view</span>
        {country.value && <span>{country.value}</span>}
        {attribution.value && <span class="attribution">{attribution.value}</span>}
        {place.value && <span>{coordinates(place.value[1], place.value[0])}</span>}
      </div>
      {state === "lost" && <div class="map-stale" aria-hidden="true" />}
      <p class="visually-hidden" role="status">
        {`Map shows ${integer(shown.value.length)} of ${plural(rows.value.length, "drone")}`}
      </p>
    </section>
  );
}

export function MapButton(props: { icon: string; label: string; pressed?: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      title={props.label}
      aria-label={props.label}
      {...(props.pressed === undefined ? {} : { "aria-pressed": props.pressed })}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      <li>
        <Dot state="online" /> Online
      </li>
      <li>
        <Dot state="stale" /> Stale
      </li>
      <li>
        <Dot state="offline" /> Offline
      </li>
      <li class="alerting">
        <Icon name="alert" size={12} /> Alert
      </li>
      <li>
        <span class="swatch group" aria-hidden="true">
          3
        </span>{" "}
        Group (its worst)
      </li>
      <li>
        <span class="swatch no-fly" /> No-fly
      </li>
      <li>
        <span class="swatch geofence" /> Geofence
      </li>
    </ul>
  );
}
