// Times as a person reads them, and the fields that ask for a range of them.
import { useSignal } from "@preact/signals";
import { ago, fromField, toField, instant } from "../domain/time";
import { now } from "../state/clock";
import { clock, moment, zone, zoneLabel } from "../state/display";

/** In the chosen zone, and in UTC as the API says it. */
const inFull = (time: string | null | undefined) => (time ? `${moment(time)} (${time})` : "not known");

/** How long ago, ticking; the exact time as its title. */
export function Ago({ time }: { time: string | null | undefined }) {
  return (
    <time class="ago" dateTime={time ?? ""} title={inFull(time)}>
      {ago(time, now.value)}
    </time>
  );
}

/** Time of day and zone, with the day when it is not today. */
export function Clock({ time }: { time: string | null | undefined }) {
  return (
    <time class="clock" dateTime={time ?? ""} title={inFull(time)}>
      {clock(time)}
    </time>
  );
}

export interface Range {
  /** UTC, as the API writes it; empty for an open end. */
  from: string;
  to: string;
}

/** From (included) and to (not included) as fields in the chosen zone. A range that ends before it begins is not handed on. */
export function TimeRange({ from, to, change }: Range & { change: (range: Partial<Range>) => void }) {
  const wrong = useSignal(false);
  const set = (end: keyof Range, text: string) => {
    const range = { from, to, [end]: fromField(text, zone.value) };
    const [first, last] = [instant(range.from), instant(range.to)];
    wrong.value = first !== null && last !== null && first >= last;
    if (!wrong.value) change({ [end]: range[end] });
  };
  const field = (end: keyof Range, label: string, value: string) => (
    <label class="field">
      <span>
        {label} ({zoneLabel.value})
      </span>
      <input
        type="datetime-local"
        step={1}
        class="moment"
        key={zone.value}
        value={toField(value, zone.value)}
        aria-invalid={wrong.value}
        onChange={(event) => set(end, event.currentTarget.value)}
      />
    </label>
  );
  return (
    <div class="range" role="group" aria-label="Time range">
      {field("from", "From", from)}
      {field("to", "To", to)}
      {wrong.value && (
        <small class="wrong" role="alert">
          “To” must be later than “From”.
        </small>
      )}
    </div>
  );
}
