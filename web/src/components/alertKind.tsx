// The sign of an alert's kind, the same that the map shows, and its name.
import type { AlertCode } from "../api/shapes";
import { pathOf } from "../domain/alert";
import { words } from "../domain/format";

export function KindIcon({ code, size = 14 }: { code: AlertCode; size?: number }) {
  return (
    <svg class="icon kind" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={pathOf(code)} />
    </svg>
  );
}

export function AlertKind({ code }: { code: AlertCode }) {
  return (
    <span class="alert-kind">
      <KindIcon code={code} />
      {words(code)}
    </span>
  );
}
