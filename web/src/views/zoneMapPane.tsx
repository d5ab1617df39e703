// The map to draw zones on, with what one does there most: draw, undo, redo, save.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { Action } from "../components/action";
import { Icon } from "../components/icons";
import { plural } from "../domain/format";
import { rows } from "../state/fleet";
import {
  add,
  busy,
  canStep,
  change,
  chosen,
  discard,
  draft,
  faults,
  isChanged,
  pointedCorner,
  redo,
  said,
  save,
  saved,
  undo,
} from "../state/zoneEditing";
import { ZoneMap } from "../map/zoneMap";
import { MapButton } from "./mapPane";
import { attribution, useMap } from "./useMap";

export function ZoneMapPane() {
  const drawing = useSignal(false);
  const live = useSignal<string[] | null>(null);
  const { target, map } = useMap(
    (element) =>
      new ZoneMap(element, {
        choose: (key) => (chosen.value = key),
        reshape: (key, polygons) => change(key, { polygons }),
        drawn: (ring) => add([[ring]]),
        live: (found) => (live.value = found),
        drawing: (on) => (drawing.value = on),
      }),
  );
  const corner = useComputed(() => {
    const zone = draft.value.find(({ key }) => key === chosen.value);
    const { ring = -1, corner: at = -1 } = pointedCorner.value ?? {};
    const place = zone?.polygons.flat()[ring]?.[at];
    return place && place.every(Number.isFinite) ? place : null;
  });
  useSignalEffect(() => map.value?.setRows(rows.value));
  useSignalEffect(() => map.value?.setZones(draft.value, chosen.value));
  useSignalEffect(() => map.value?.setFaults(faults.value.flatMap(({ at }) => (at ? [at] : []))));
  useSignalEffect(() => map.value?.setCorner(corner.value));

  const onKey = (event: KeyboardEvent) => {
    if (!drawing.value) return;
    const act = {
      Escape: () => map.value?.stopDrawing(),
      Backspace: () => map.value?.backStep(),
      Enter: () => map.value?.finishDrawing(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const open = chosen.value;
  return (
    <section class={`map-pane${drawing.value ? " drawing" : ""}`} aria-label="Map" onKeyDown={onKey}>
      <div
        class="map"
        ref={target}
        tabIndex={0}
        role="application"
        aria-label="Map of the zones. Arrow keys move it, plus and minus zoom. Corners can also be typed, in the panel of a zone."
      />
      <Toolbar
        drawing={drawing.value}
        draw={() => (drawing.value ? map.value?.stopDrawing() : map.value?.startDrawing())}
        square={() => {
          if (!map.value) return;
          add([[map.value.square()]]);
          said.value = "A square in the middle of the map: set its corners in the panel.";
        }}
      />
      <div class="map-buttons" role="group" aria-label="Map view">
        <MapButton icon="plus" label="Zoom in" onClick={() => map.value?.zoomBy(1)} />
        <MapButton icon="minus" label="Zoom out" onClick={() => map.value?.zoomBy(-1)} />
        <MapButton
          icon="fit"
          label={open ? "Show the open zone" : "Show all zones"}
          onClick={() => (open ? map.value?.show(open) : map.value?.showAll())}
        />
      </div>
      {attribution.value && (
        <div class="map-readout">
          <span class="attribution">{attribution.value}</span>
        </div>
      )}
      <p class="map-hint" role="status" hidden={!drawing.value && !live.value && !open}>
        {live.value && live.value.length > 0 && (
          <span class="wrong">
            <Icon name="alert" size={13} /> {live.value[0]}{" "}
          </span>
        )}
        {drawing.value
          ? "Click for each corner; a double click, or a click on the first one, finishes. Backspace takes one back, Esc stops."
          : "Drag a corner, or a border to make a new one; Alt and click takes a corner out."}
      </p>
    </section>
  );
}

function Toolbar({ drawing, draw, square }: { drawing: boolean; draw: () => void; square: () => void }) {
  const wrong = faults.value.length;
  const changed = isChanged.value;
  const unless = busy.value
    ? "It is being saved."
    : wrong > 0
      ? "What is wrong has to be put right first."
      : changed
        ? null
        : "Nothing has changed.";
  return (
    <div class="map-toolbar" role="toolbar" aria-label="Zones">
      <button type="button" aria-pressed={drawing} disabled={!saved.value} onClick={draw}>
        <Icon name="pen" /> {drawing ? "Stop drawing" : "Draw"}
      </button>
      <button type="button" disabled={!saved.value || drawing} onClick={square} title="A square to begin with, for typing">
        <Icon name="plus" /> Square
      </button>
      <button
        type="button"
        aria-label="Undo"
        title="Undo (Ctrl+Z)"
        disabled={!canStep.value.undo}
        onClick={undo}
      >
        <Icon name="undo" />
      </button>
      <button
        type="button"
        aria-label="Redo"
        title="Redo (Ctrl+Shift+Z)"
        disabled={!canStep.value.redo}
        onClick={redo}
      >
        <Icon name="redo" />
      </button>
      <button type="button" disabled={!changed} onClick={discard}>
        Discard
      </button>
      <Action class="primary" unless={unless} onClick={() => void save()}>
        Save
      </Action>
      <span class={`toolbar-note${wrong ? " wrong" : ""}`} role="status">
        {wrong ? `${plural(wrong, "thing")} wrong` : changed ? "Not saved yet" : ""}
      </span>
    </div>
  );
}
