// Somebody else has saved the zones meanwhile (412): what they did, and the ways on.
import { Icon } from "../components/icons";
import type { Differences } from "../domain/zones";
import { conflict, settle } from "../state/zoneEditing";

export function ZoneConflict() {
  const found = conflict.value;
  if (!found) return null;
  return (
    <div class="banner zone-conflict" role="alert">
      <Icon name="alert" />
      <p>
        <strong>Somebody else has changed the zones meanwhile.</strong> {inWords(found.changes)}{" "}
        {found.both.length > 0
          ? `Both of you changed ${found.both.join(", ")}: of these, yours stay.`
          : "You changed others."}{" "}
        Nothing has been saved yet.
      </p>
      <button type="button" class="primary" onClick={() => settle("both")}>
        Put both together
      </button>
      <button type="button" class="quiet" onClick={() => settle("mine")}>
        Keep only mine
      </button>
      <button type="button" class="quiet" onClick={() => settle("theirs")}>
        Take theirs
      </button>
    </div>
  );
}

function inWords({ added, changed, removed }: Differences): string {
  const parts = [
    added.length ? `added ${added.join(", ")}` : "",
    changed.length ? `changed ${changed.join(", ")}` : "",
    removed.length ? `removed ${removed.join(", ")}` : "",
  ].filter(Boolean);
  return parts.length ? `They ${parts.join("; ")}.` : "They only put them in another order.";
}
