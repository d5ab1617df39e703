// A button that does something for which a role is needed. Who has not got it can still reach the button, and is told why
// it does nothing.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Role } from "../api/shapes";
import { barred } from "../state/session";

export interface ActionProps {
  onClick: () => void;
  children: ComponentChildren;
  class?: string;
  role?: Role;
  /** Why it cannot be done now, whoever asks; null when it can. */
  unless?: string | null;
}

export function Action({ onClick, children, class: look = "", role = "Operate", unless = null }: ActionProps) {
  const why = barred(role) ?? unless;
  const id = useId();
  if (why === null) {
    return (
      <button type="button" class={look} onClick={onClick}>
        {children}
      </button>
    );
  }
  return (
    <span class="barred">
      <button type="button" class={look} aria-disabled="true" aria-describedby={id} title={why}>
        {children}
      </button>
      <span class="visually-hidden" id={id}>
        {why}
      </span>
    </span>
  );
}
