// A button in the bar and what it opens below itself: closed by Escape, by a click elsewhere, and when the focus leaves.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

export function Menu(props: {
  label: string;
  button: ComponentChildren;
  children: (close: () => void) => ComponentChildren;
}) {
  const open = useSignal(false);
  const frame = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = () => {
    open.value = false;
  };
  useEffect(() => {
    if (!open.value) return undefined;
    const outside = (event: Event) => {
      if (!frame.current?.contains(event.target as Node)) close();
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      // The panel beside the list stays: one Escape closes one thing.
      event.stopImmediatePropagation();
      close();
      opener.current?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    window.addEventListener("keydown", onKey, { capture: true });
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      window.removeEventListener("keydown", onKey, { capture: true });
    };
  }, [open.value]);
  return (
    <div class="menu" ref={frame}>
      <button
        ref={opener}
        type="button"
        class="icon-button"
        aria-label={props.label}
        title={props.label}
        aria-expanded={open.value}
        aria-controls={id}
        onClick={() => (open.value = !open.value)}
      >
        {props.button}
      </button>
      {open.value && (
        <div class="menu-panel" id={id} role="group" aria-label={props.label}>
          {props.children(close)}
        </div>
      )}
    </div>
  );
}

/** One of a few, as buttons side by side. */
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, ComponentChildren, string?])[];
  choose: (value: T) => void;
}) {
  return (
    <div class="segments" role="group" aria-label={props.label}>
      {props.options.map(([value, content, name]) => (
        <button
          key={value}
          type="button"
          aria-pressed={props.value === value}
          {...(name ? { "aria-label": name, title: name } : {})}
          onClick={() => props.choose(value)}
        >
          {content}
        </button>
      ))}
    </div>
  );
}
