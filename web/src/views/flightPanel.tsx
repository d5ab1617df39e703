// One flight, to be looked at again: its figures, its track to scale, a slider over its time with plots on one cursor, and
// its messages as files.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, everything } from "../api/client";
import type { Flight, Message } from "../api/shapes";
import { Clock, Empty, Problem, StatusBadge } from "../components/basics";
import { Icon } from "../components/icons";
import { Facts, SidePanel } from "../components/listPage";
import { Plot } from "../components/plot";
import { MOST_POINTS, pointAt, SPEEDS, thinning, toScale, trackPoints, type TrackPoint } from "../domain/flight";
import { coordinates, distance, integer, metres, percent, speed, UNKNOWN, words } from "../domain/format";
import { mergeHistory, series } from "../domain/history";
import { clock, duration, instant } from "../domain/time";
import { now } from "../state/clock";
import { link } from "../state/router";

const FILES = [
  ["geojson", "GeoJSON"],
  ["csv", "CSV"],
  ["gpx", "GPX"],
  ["kml", "KML"],
] as const;

export function FlightPanel({ id, close }: { id: string; close: () => void }) {
  const flight = useSignal<Flight | null>(null);
  const messages = useSignal<Message[] | null>(null);
  const problem = useSignal<unknown>(null);
  useEffect(() => {
    let wanted = true;
    void (async () => {
      try {
        const found = await api.flight(id);
        if (!wanted) return;
        flight.value = found;
        const said = await messagesOf(found);
        if (wanted) messages.value = said;
      } catch (error) {
        if (wanted) problem.value = error;
      }
    })();
    return () => {
      wanted = false;
    };
  }, [id]);
  const known = flight.value;
  return (
    <SidePanel title="Flight" label={`Flight ${id}`} close={close}>
      {problem.value !== null && <Problem problem={problem.value} />}
      {!known && problem.value === null && <Empty>Asking for the flight…</Empty>}
      {known && <Body flight={known} />}
      {known && messages.value && <Again flight={known} messages={messages.value} />}
    </SidePanel>
  );
}

async function messagesOf(flight: Flight): Promise<Message[]> {
  const start = instant(flight.startedAt) ?? 0;
  // The API's range ends before its `to`, and a millisecond is the finest that a browser's clock writes.
  const end = start + flight.durationSeconds * 1000 + 1;
  const every = thinning(flight.durationSeconds, flight.messages);
  const said = await everything(
    (continuation) =>
      api.history(flight.deviceId, {
        from: flight.startedAt,
        to: new Date(end).toISOString(),
        order: "asc",
        every,
        limit: 1000,
        continuation,
      }),
    MOST_POINTS,
  );
  return mergeHistory([], said, 0);
}

function Body({ flight }: { flight: Flight }) {
  return (
    <>
      <p class="mono break">{flight.id}</p>
      <div class="detail-status">
        <StatusBadge status={flight.status} />
        <a href={link({ view: "fleet", open: flight.deviceId })}>{flight.deviceId}</a>
      </div>
      <Facts
        facts={[
          ["Started", <Clock key="s" time={flight.startedAt} />],
          ["Ended", flight.endedAt ? <Clock key="e" time={flight.endedAt} /> : UNKNOWN],
          ["Duration", duration(flight.durationSeconds)],
          ["Distance", distance(flight.distanceMetres)],
          ["Highest above take-off", metres(flight.maxHeight)],
          ["Highest altitude", metres(flight.maxAltitude)],
          ["Fastest", speed(flight.maxGroundSpeed)],
          ["Battery", `${percent(flight.batteryStart)} → ${percent(flight.batteryEnd)}`],
          ["Take-off", coordinates(flight.takeoff?.latitude, flight.takeoff?.longitude)],
          ["Landing", coordinates(flight.landing?.latitude, flight.landing?.longitude)],
          ["Mission", flight.mission ?? UNKNOWN],
          ["Alerts", flight.alerts.length ? flight.alerts.map((code) => words(code)).join(", ") : UNKNOWN],
          ["Messages", integer(flight.messages)],
        ]}
      />
      <p class="files">
        <span class="muted">Its messages as a file:</span>{" "}
        {FILES.map(([format, name]) => (
          <a key={format} href={api.trackUrl(flight.id, format)} download={`${flight.deviceId}.${format}`}>
            {name}
          </a>
        ))}
      </p>
    </>
  );
}

const TICK_MS = 50;

function Again({ flight, messages }: { flight: Flight; messages: readonly Message[] }) {
  const from = instant(flight.startedAt) ?? 0;
  const to = Math.max(from + 1000, from + flight.durationSeconds * 1000);
  const at = useSignal(to);
  const playing = useSignal<number | null>(null);
  const points = useComputed(() => trackPoints(messages));
  useEffect(() => {
    const { value: times } = playing;
    if (times === null) return undefined;
    let last = performance.now();
    const timer = setInterval(() => {
      const passed = performance.now() - last;
      last += passed;
      at.value = Math.min(to, at.value + passed * times);
      if (at.value >= to) playing.value = null;
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [playing.value]);
  const play = (times: number) => {
    if (at.value >= to) at.value = from;
    playing.value = playing.value === times ? null : times;
  };
  const shown = { from: from / 1000, to: to / 1000, sync: `flight-${flight.id}` };
  const place = points.value[pointAt(points.value, at.value)];
  const said = clock(new Date(at.value).toISOString(), now.value);
  return (
    <section class="history" aria-label="The flight again">
      <Sketch points={points.value} at={at.value} />
      <div class="again">
        <input
          type="range"
          aria-label="Moment of the flight"
          aria-valuetext={said}
          min={from}
          max={to}
          step={Math.max(1, Math.round((to - from) / 1000))}
          value={at.value}
          onInput={(event) => (at.value = Number(event.currentTarget.value))}
        />
        <div class="segments" role="group" aria-label="Play">
          {SPEEDS.map((times) => (
            <button
              key={times}
              type="button"
              aria-pressed={playing.value === times}
              onClick={() => play(times)}
            >
              <Icon name={playing.value === times ? "pause" : "play"} size={11} /> {times}×
            </button>
          ))}
        </div>
      </div>
      <p class="again-moment">
        <b>{said}</b>{" "}
        <span class="muted">
          {place ? `${coordinates(place.latitude, place.longitude)}, ${metres(place.height)}` : "no place known"}
        </span>
      </p>
      <Plot
        {...shown}
        label="Battery"
        data={series(messages, "battery")}
        range={[0, 1]}
        format={(value) => `${Math.round(value * 100)} %`}
        colour="--online"
      />
      <Plot
        {...shown}
        label={flight.maxHeight === null ? "Altitude" : "Height"}
        data={series(messages, flight.maxHeight === null ? "altitude" : "height")}
        format={(value) => `${Math.round(value)} m`}
      />
      <Plot
        {...shown}
        label="Ground speed"
        data={series(messages, "groundSpeed")}
        format={(value) => `${value.toFixed(value < 10 ? 1 : 0)} m/s`}
        colour="--series-3"
      />
    </section>
  );
}

const WIDTH = 400;
const HEIGHT = 220;

/** The track to scale, north up, what is flown by then drawn full: it needs no map, and so is right anywhere. */
function Sketch({ points, at }: { points: readonly TrackPoint[]; at: number }) {
  if (points.length === 0) return <Empty>No message of this flight says a place.</Empty>;
  const drawn = toScale(points, WIDTH, HEIGHT, 14);
  const here = pointAt(points, at);
  const text = (part: readonly [number, number][]) =>
    part.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const [x, y] = drawn[here] ?? [0, 0];
  return (
    <svg class="sketch" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Track of the flight, north up">
      <polyline class="whole" points={text(drawn)} />
      <polyline class="flown" points={text(drawn.slice(0, here + 1))} />
      <circle class="place" cx={x} cy={y} r="5" />
    </svg>
  );
}
