// A drone's stored messages as three plots over time and as the track on the map; new ones are added as they come.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, everything } from "../api/client";
import type { Message } from "../api/shapes";
import { Empty, Problem } from "../components/basics";
import { Plot } from "../components/plot";
import { mergeHistory, series, trackOf, secondsLeft } from "../domain/history";
import { duration, instant } from "../domain/time";
import { now, serverNow } from "../state/clock";
import { heightUnit, speedUnit } from "../state/display";
import { config } from "../state/settings";
import { track } from "../state/open";

const RANGES: readonly (readonly [number, string])[] = [
  [5, "5 min"],
  [15, "15 min"],
  [60, "1 h"],
  [360, "6 h"],
  [1440, "24 h"],
];
const MOST = 20_000;
// Messages may be stored a little out of order: each question reaches back this far.
const OVERLAP_MS = 20_000;

const iso = (at: number) => new Date(at).toISOString();

export function DroneHistory({ id, lastSeen }: { id: string; lastSeen: string | null }) {
  const minutes = useSignal(15);
  const messages = useSignal<Message[]>([]);
  const problem = useSignal<unknown>(null);
  const loaded = useSignal(false);
  const complete = useSignal(true);

  const load = async (fromTime: number, stillWanted: () => boolean) => {
    try {
      const fresh = await everything(
        (continuation) =>
          api.history(id, { from: iso(fromTime), order: "desc", limit: 1000, continuation }),
        MOST,
      );
      if (!stillWanted()) return;
      messages.value = mergeHistory(
        messages.peek(),
        fresh,
        serverNow() - minutes.peek() * 60_000,
      );
      complete.value = complete.peek() && fresh.length < MOST;
      problem.value = null;
    } catch (error) {
      if (stillWanted()) problem.value = error;
    }
    if (stillWanted()) loaded.value = true;
  };

  useEffect(() => {
    let wanted = true;
    messages.value = [];
    loaded.value = false;
    complete.value = true;
    void load(serverNow() - minutes.value * 60_000, () => wanted);
    return () => {
      wanted = false;
    };
  }, [id, minutes.value]);

  useEffect(() => {
    if (!loaded.peek()) return undefined;
    let wanted = true;
    const newest = instant(messages.peek().at(-1)?.time);
    const reach = newest === null ? serverNow() - minutes.peek() * 60_000 : newest - OVERLAP_MS;
    void load(reach, () => wanted);
    return () => {
      wanted = false;
    };
  }, [lastSeen]);

  useSignalEffect(() => {
    track.value = trackOf(messages.value);
  });

  const battery = useComputed(() => series(messages.value, "battery"));
  const altitude = useComputed(() => series(messages.value, "altitude"));
  const groundSpeed = useComputed(() => series(messages.value, "groundSpeed"));
  const to = now.value / 1000;
  const from = to - minutes.value * 60;
  const left = secondsLeft(battery.value, 600);
  const shared = { from, to, sync: `drone-${id}` };
  return (
    <section class="history" aria-label="History">
      <div class="segments" role="group" aria-label="Time shown">
        {RANGES.map(([length, text]) => (
          <button
            key={length}
            type="button"
            aria-pressed={minutes.value === length}
            onClick={() => (minutes.value = length)}
          >
            {text}
          </button>
        ))}
      </div>
      {problem.value !== null && <Problem problem={problem.value} />}
      {loaded.value && messages.value.length === 0 && problem.value === null && (
        <Empty>No message in this time.</Empty>
      )}
      <Plot
        {...shared}
        label={left === null ? "Battery" : `Battery · empty in ${duration(left)} at this rate`}
        data={battery.value}
        range={[0, 1]}
        limit={config.value?.lowBattery ?? null}
        format={(value) => `${Math.round(value * 100)} %`}
        colour="--online"
      />
      <Plot
        {...shared}
        label="Altitude"
        data={altitude.value}
        limit={config.value?.altitudeLimitMetres ?? null}
        factor={heightUnit.value.factor}
        format={(value) => `${Math.round(value)} ${heightUnit.value.name}`}
      />
      <Plot
        {...shared}
        label="Ground speed"
        data={groundSpeed.value}
        factor={speedUnit.value.factor}
        format={(value) => `${value.toFixed(value < 10 ? 1 : 0)} ${speedUnit.value.name}`}
        colour="--series-3"
      />
      {!complete.value && (
        <p class="muted small">Only the newest {MOST.toLocaleString("en-US")} messages are shown.</p>
      )}
    </section>
  );
}
