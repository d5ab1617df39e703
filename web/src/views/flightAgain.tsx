// The course of a flight: its track on the map and its plots on one cursor, which a slider, what is pointed at, or playing moves.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Flight, Message } from "../api/shapes";
import { CopyLink } from "../components/id";
import { Icon } from "../components/icons";
import { Plot } from "../components/plot";
import { momentOf, pointAt, SPEEDS, trackPoints } from "../domain/flight";
import { coordinates, words } from "../domain/format";
import { series } from "../domain/history";
import { instant } from "../domain/time";
import { wrapped } from "../domain/world";
import { clock, height, heightUnit, speedUnit } from "../state/display";
import { link, route } from "../state/router";
import { FlightTrack } from "./flightTrack";

const TICK_MS = 33;

export function FlightAgain(props: {
  flight: Flight;
  messages: readonly Message[];
  /** The time to begin with, as a link names it. */
  moment: string | undefined;
}) {
  const { flight, messages } = props;
  const from = instant(flight.startedAt) ?? 0;
  const to = Math.max(from + 1000, from + flight.durationSeconds * 1000);
  const at = useSignal(momentOf(props.moment, from, to));
  /** Where a plot or the track is pointed at: it goes before `at`. */
  const pointed = useSignal<number | null>(null);
  const playing = useSignal<number | null>(null);
  const measure = flight.maxHeight === null ? "altitude" : "height";
  const points = useMemo(() => trackPoints(messages, measure), [messages, measure]);
  const plots = useMemo(
    () => ({
      battery: series(messages, "battery"),
      up: series(messages, measure),
      speed: series(messages, "groundSpeed"),
    }),
    [messages, measure],
  );
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
  const moment = Math.min(to, Math.max(from, pointed.value ?? at.value));
  const shown = {
    from: from / 1000,
    to: to / 1000,
    at: moment / 1000,
    sync: `flight-${flight.id}`,
    point: (seconds: number | null) => (pointed.value = seconds === null ? null : seconds * 1000),
  };
  const place = points[pointAt(points, moment)];
  const said = clock(new Date(moment).toISOString());
  const address = () => {
    const query = { ...route.value.query, at: new Date(moment).toISOString() };
    return `${location.origin}${location.pathname}${link({ view: "flights", open: flight.id, query })}`;
  };
  return (
    <section class="history" aria-label="The flight again">
      <FlightTrack
        points={points}
        at={moment}
        events={{
          point: (time) => (pointed.value = time),
          choose: (time) => (at.value = time),
        }}
      />
      <div class="again">
        <input
          type="range"
          aria-label="Moment of the flight"
          aria-valuetext={said}
          min={from}
          max={to}
          step={Math.max(1, Math.round((to - from) / 1000))}
          value={moment}
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
          {place ? `${coordinates(place.latitude, wrapped(place.longitude))}, ${height(place.height)}` : "no place known"}
        </span>
        <CopyLink address={address} />
      </p>
      {/* The keyboard has the slider. */}
      <div onClick={() => (at.value = moment)}>
        <Plot
          {...shown}
          label="Battery"
          data={plots.battery}
          range={[0, 1]}
          format={(value) => `${Math.round(value * 100)} %`}
          colour="--online"
        />
        <Plot
          {...shown}
          label={words(measure)}
          data={plots.up}
          factor={heightUnit.value.factor}
          format={(value) => `${Math.round(value)} ${heightUnit.value.name}`}
        />
        <Plot
          {...shown}
          label="Ground speed"
          data={plots.speed}
          factor={speedUnit.value.factor}
          format={(value) => `${value.toFixed(value < 10 ? 1 : 0)} ${speedUnit.value.name}`}
          colour="--series-3"
        />
      </div>
    </section>
  );
}
