// A window over the page. The browser's own dialog keeps the focus inside, gives it back, and closes on Escape.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icons";

export function Modal(props: { title: string; look?: string; close: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  const title = useId();
  // Before the browser paints: the next key is already for what has opened.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={`dialog ${props.look ?? ""}`}
      aria-labelledby={title}
      onClose={props.close}
      // A click on what is behind it.
      onClick={(event) => event.target === element.current && props.close()}
    >
      <div class="modal">
        <header class="detail-head">
          <h2 id={title}>{props.title}</h2>
          <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" onClick={props.close}>
            <Icon name="close" />
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
