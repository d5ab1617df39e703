// The track of a flight on the map, coloured by height or speed, with the drone where it was at the moment that is shown.
import { useSignalEffect } from "@preact/signals";
import { useEffect, useId, useMemo } from "preact/hooks";
import { Empty, Select } from "../components/basics";
import { BANDS, pointAt, tinted, TINTS, type Tint, type TrackPoint } from "../domain/flight";
import { coordinates, plural, words } from "../domain/format";
import { wrapped } from "../domain/world";
import { FlightMap, type FlightMapEvents } from "../map/flightMap";
import { height, speed } from "../state/display";
import { refine, route } from "../state/router";
import { zones } from "../state/settings";
import { MapButton } from "./mapPane";
import { attribution, country, useMap } from "./useMap";

const SAYS: Record<Tint, (value: number | null) => string> = { height, speed };

interface Props {
  points: readonly TrackPoint[];
  /** Milliseconds since the epoch. */
  at: number;
  /** As they are at first: later ones are not heard. */
  events: FlightMapEvents;
}

export function FlightTrack(props: Props) {
  if (props.points.length === 0) return <Empty>No message of this flight says a place.</Empty>;
  return <Track {...props} />;
}

function Track({ points, at, events }: Props) {
  const described = useId();
  const wanted = route.value.query["colour"];
  const tint = TINTS.find((one) => one === wanted) ?? "height";
  const { stretches, low, high } = useMemo(() => tinted(points, tint), [points, tint]);
  const { target, map } = useMap((element) => new FlightMap(element, events));
  const here = pointAt(points, at);
  useSignalEffect(() => map.value?.setZones(zones.value));
  useEffect(() => map.value?.setTrack(points, stretches), [map.value, points, stretches]);
  useEffect(() => map.value?.show(here), [map.value, points, here]);
  const [first, last] = [points[0], points.at(-1)].map(
    (point) => point && coordinates(point.latitude, wrapped(point.longitude)),
  );
  return (
    <>
      <section class="map-pane flight-map" aria-label="Track of the flight">
        <div
          class="map"
          ref={target}
          tabIndex={0}
          role="application"
          aria-label="Map of the flight. Arrow keys move it, plus and minus zoom. The slider moves the drone."
          aria-describedby={described}
        />
        <div class="map-buttons" role="group" aria-label="Map view">
          <MapButton icon="plus" label="Zoom in" onClick={() => map.value?.zoomBy(1)} />
          <MapButton icon="minus" label="Zoom out" onClick={() => map.value?.zoomBy(-1)} />
          <MapButton icon="fit" label="Show the whole flight" onClick={() => map.value?.showAll()} />
        </div>
        <div class="map-readout">
          {country.value && <span>{country.value}</span>}
          {attribution.value && <span class="attribution">{attribution.value}</span>}
        </div>
        <p class="visually-hidden" id={described}>
          {`${plural(points.length, "place")}, from ${first} to ${last}; ${words(tint)} from ${SAYS[tint](low)} to ${SAYS[tint](high)}.`}
        </p>
      </section>
      <div class="tint">
        <Select
          label="Coloured by"
          value={tint}
          options={TINTS.map((one) => [one, words(one)] as const)}
          onChange={(value) => refine({ colour: value }, true)}
        />
        <span>{SAYS[tint](low)}</span>
        <span class="tint-scale" aria-hidden="true">
          {Array.from({ length: BANDS }, (_, band) => (
            <i key={band} class={`band-${band}`} />
          ))}
        </span>
        <span>{SAYS[tint](high)}</span>
      </div>
    </>
  );
}
