// A zone's corners as numbers: all that the map's handles do, for who has no mouse or knows the coordinates.
import { Icon } from "../components/icons";
import type { Place } from "../domain/world";
import { wrapped } from "../domain/world";
import type { Fault } from "../domain/zoneCheck";
import type { Ring, Zone } from "../domain/zones";
import { change, pointedCorner, said } from "../state/zoneEditing";

// More fields than this at once make every keystroke slow; the map has them all.
const MOST = 400;
const STEP = 0.0001;

export function ZoneCorners({ zone, faults }: { zone: Zone; faults: readonly Fault[] }) {
  let number = -1;
  return (
    <section class="zone-corners" aria-label="Corners">
      <ul class="zone-faults" aria-live="polite">
        {faults.map(({ detail, ring }) => (
          <li key={`${ring} ${detail}`}>
            <Icon name="alert" size={13} />
            <span>{detail}</span>
          </li>
        ))}
      </ul>
      {zone.polygons.map((rings, polygon) =>
        rings.map((ring, hole) => {
          number += 1;
          const named = hole > 0 ? `Hole ${hole}` : "Border";
          const title = zone.polygons.length > 1 ? `Part ${polygon + 1}: ${named.toLowerCase()}` : named;
          return (
            <RingTable
              key={number}
              title={title}
              ring={ring}
              number={number}
              faults={faults.filter((fault) => fault.ring === number)}
              put={(next) => change(zone.key, { polygons: withRing(zone.polygons, polygon, hole, next) })}
            />
          );
        }),
      )}
    </section>
  );
}

/** `null` takes a hole out. */
function withRing(polygons: Zone["polygons"], polygon: number, hole: number, ring: Ring | null): Zone["polygons"] {
  return polygons.map((rings, at) =>
    at === polygon ? rings.flatMap((old, index) => (index === hole ? (ring ? [ring] : []) : [old])) : rings,
  );
}

interface RingProps {
  title: string;
  ring: Ring;
  number: number;
  faults: readonly Fault[];
  put: (ring: Ring | null) => void;
}

function RingTable({ title, ring, number, faults, put }: RingProps) {
  const set = (corner: number, part: 0 | 1, text: string) => {
    const value = text.trim() === "" ? Number.NaN : Number(text.trim().replace(",", "."));
    put(ring.map((place, at) => (at === corner ? (part ? [place[0], value] : [value, place[1]]) : place)));
  };
  const insert = (corner: number) => {
    const [here, next] = [ring[corner], ring[(corner + 1) % ring.length]];
    if (!here || !next) return;
    const across = next[0] + Math.round((here[0] - next[0]) / 360) * 360;
    const middle: Place = [wrapped(round((here[0] + across) / 2)), round((here[1] + next[1]) / 2)];
    put([...ring.slice(0, corner + 1), middle, ...ring.slice(corner + 1)]);
    said.value = `Corner ${corner + 2} is new.`;
  };
  const takeOut = (corner: number) => {
    put(ring.filter((_, at) => at !== corner));
    said.value = `Corner ${corner + 1} is gone.`;
  };
  const wrong = new Set(faults.map(({ corner }) => corner));
  return (
    <table class="corners">
      <caption>
        {title}, {ring.length} corners{" "}
        {title.toLowerCase().includes("hole") && (
          <button type="button" class="link" onClick={() => put(null)}>
            Fill it
          </button>
        )}
      </caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="visually-hidden">Corner</span>
          </th>
          <th scope="col">Latitude</th>
          <th scope="col">Longitude</th>
          <th scope="col">
            <span class="visually-hidden">Change</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {ring.slice(0, MOST).map(([longitude, latitude], corner) => (
          <tr
            key={corner}
            class={wrong.has(corner) ? "wrong-row" : ""}
            onFocusCapture={() => (pointedCorner.value = { ring: number, corner })}
            onBlurCapture={() => (pointedCorner.value = null)}
            onPointerEnter={() => (pointedCorner.value = { ring: number, corner })}
            onPointerLeave={() => (pointedCorner.value = null)}
          >
            <th scope="row">{corner + 1}</th>
            <td>
              <Degrees
                label={`Latitude of corner ${corner + 1}`}
                value={latitude}
                wrong={wrong.has(corner)}
                put={(text) => set(corner, 1, text)}
              />
            </td>
            <td>
              <Degrees
                label={`Longitude of corner ${corner + 1}`}
                value={longitude}
                wrong={wrong.has(corner)}
                put={(text) => set(corner, 0, text)}
              />
            </td>
            <td class="corner-buttons">
              <button
                type="button"
                class="icon-button"
                aria-label={`Add a corner after corner ${corner + 1}`}
                title="Add a corner after this one"
                onClick={() => insert(corner)}
              >
                <Icon name="plus" size={14} />
              </button>
              <button
                type="button"
                class="icon-button"
                aria-label={`Take out corner ${corner + 1}`}
                title="Take this corner out"
                disabled={ring.length <= 3}
                onClick={() => takeOut(corner)}
              >
                <Icon name="trash" size={14} />
              </button>
            </td>
          </tr>
        ))}
      </tbody>
      {ring.length > MOST && (
        <tfoot>
          <tr>
            <td colSpan={4} class="muted">
              The other {ring.length - MOST} are changed on the map.
            </td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}

function Degrees(props: { label: string; value: number; wrong: boolean; put: (text: string) => void }) {
  return (
    <input
      type="number"
      step={STEP}
      aria-label={props.label}
      aria-invalid={props.wrong}
      value={Number.isFinite(props.value) ? round(props.value) : ""}
      onChange={(event) => props.put(event.currentTarget.value)}
    />
  );
}

const round = (degrees: number) => Math.round(degrees * 1e7) / 1e7;
