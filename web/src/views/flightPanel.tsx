// One flight, to be looked at again: what `flightAgain.tsx` shows of its course, its figures, its messages as files.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { api, everything } from "../api/client";
import type { Flight, Message } from "../api/shapes";
import { Empty, Problem, StatusBadge } from "../components/basics";
import { Id } from "../components/id";
import { Facts, SidePanel } from "../components/listPage";
import { Clock } from "../components/times";
import { MOST_POINTS, thinning } from "../domain/flight";
import { coordinates, integer, percent, UNKNOWN, words } from "../domain/format";
import { mergeHistory } from "../domain/history";
import { duration, instant } from "../domain/time";
import { distance, height, speed } from "../state/display";
import { link, refine, route } from "../state/router";
import { FlightAgain } from "./flightAgain";

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
  const moment = useMemo(() => route.value.query["at"], [id]);
  useEffect(() => {
    // It was this flight's: the links to others shall not carry it along.
    if (moment) refine({ at: "" }, true);
  }, [moment]);
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
      {known && <Head flight={known} />}
      {known && messages.value && <FlightAgain flight={known} messages={messages.value} moment={moment} />}
      {known && !messages.value && problem.value === null && (
        <div class="flight-waits">
          <Empty>Asking for its messages…</Empty>
        </div>
      )}
      {known && <Figures flight={known} />}
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

function Head({ flight }: { flight: Flight }) {
  return (
    <>
      <Id value={flight.id} what="flight's id" />
      <div class="detail-status">
        <StatusBadge status={flight.status} />
        <a href={link({ view: "fleet", open: flight.deviceId })}>{flight.deviceId}</a>
      </div>
    </>
  );
}

function Figures({ flight }: { flight: Flight }) {
  return (
    <>
      <Facts
        facts={[
          ["Started", <Clock key="s" time={flight.startedAt} />],
          ["Ended", flight.endedAt ? <Clock key="e" time={flight.endedAt} /> : UNKNOWN],
          ["Duration", duration(flight.durationSeconds)],
          ["Distance", distance(flight.distanceMetres)],
          ["Highest above take-off", height(flight.maxHeight)],
          ["Highest altitude", height(flight.maxAltitude)],
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
