// One zone: what it is called, its kind, its heights, its corners, and what is wrong with each.
import { useEffect, useId, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Icon } from "../components/icons";
import type { Fault, Field } from "../domain/zoneCheck";
import { KINDS, type Zone } from "../domain/zones";
import { change, chosen, faults, remove } from "../state/zoneEditing";
import { ZoneCorners } from "./zoneCorners";

export function ZonePanel({ zone }: { zone: Zone }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
        chosen.value = null;
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const { key } = zone;
  const wrong = faults.value.filter((fault) => fault.key === key);
  const at = (field: Field) => wrong.filter((fault) => fault.field === field);
  const put = (field: "id" | "name" | "floor" | "ceiling") => (value: string) =>
    change(key, { [field]: value }, field);
  return (
    <aside class="detail zone-panel" aria-label={`Zone ${zone.name || zone.id}`}>
      <header class="detail-head">
        <h2 ref={heading} tabIndex={-1}>
          {zone.name || zone.id || "A zone without an id"}
        </h2>
        <button
          type="button"
          class="icon-button"
          aria-label="Close the zone"
          title="Close (Esc)"
          onClick={() => (chosen.value = null)}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="zone-fields">
        <TextField label="Id" value={zone.id} faults={at("id")} put={put("id")} />
        <TextField label="Name" value={zone.name} faults={at("name")} put={put("name")} />
        <div class="wide">
          <label class="field">
            <span>Kind</span>
            <select
              value={zone.kind}
              aria-invalid={at("kind").length > 0}
              onChange={(event) => change(key, { kind: event.currentTarget.value })}
            >
              {!(KINDS as readonly string[]).includes(zone.kind) && (
                <option value={zone.kind}>{zone.kind || "Not known"}</option>
              )}
              {KINDS.map((kind) => (
                <option key={kind} value={kind}>
                  {kind === "no_fly" ? "No-fly: drones must stay out" : "Geofence: drones must stay inside"}
                </option>
              ))}
            </select>
          </label>
          <Wrong faults={at("kind")} />
        </div>
        <TextField label="Floor (m)" hint="None" value={zone.floor} faults={at("floor")} put={put("floor")} number />
        <TextField
          label="Ceiling (m)"
          hint="None"
          value={zone.ceiling}
          faults={at("ceiling")}
          put={put("ceiling")}
          number
        />
      </div>
      <ZoneCorners zone={zone} faults={at("shape")} />
      <div class="zone-buttons">
        <button type="button" class="quiet danger-text" onClick={() => remove(key)}>
          <Icon name="trash" /> Remove this zone
        </button>
      </div>
    </aside>
  );
}

function TextField({
  label,
  value,
  faults: wrong,
  put,
  hint,
  number,
}: {
  label: string;
  value: string;
  faults: readonly Fault[];
  put: (value: string) => void;
  hint?: string;
  number?: boolean;
}) {
  const told = useId();
  return (
    <div>
      <label class="field">
        <span>{label}</span>
        <input
          type="text"
          {...(number ? { inputMode: "decimal" as const } : {})}
          value={value}
          maxLength={200}
          spellcheck={false}
          placeholder={hint ?? ""}
          aria-invalid={wrong.length > 0}
          aria-describedby={told}
          onInput={(event) => put(event.currentTarget.value)}
        />
      </label>
      <Wrong id={told} faults={wrong} />
    </div>
  );
}

/** What is wrong, in words, where it is wrong. */
function Wrong({ id, faults: wrong }: { id?: string; faults: readonly Fault[] }): ComponentChildren {
  return (
    <small class="wrong" aria-live="polite" {...(id ? { id } : {})}>
      {wrong.map(({ detail }) => detail).join(" ")}
    </small>
  );
}
