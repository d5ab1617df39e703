// What the views with a table share: the table's frame, "show more", and the panel beside it for the row that is open.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { integer } from "../domain/format";
import type { PagedList } from "../state/pagedList";
import { Empty, Problem } from "./basics";
import { Icon } from "./icons";

export function ListFrame<T extends { id: string }>({
  list,
  empty,
  children,
}: {
  list: PagedList<T>;
  empty: string;
  children: ComponentChildren;
}) {
  const { items, problem, loaded, continuation, loadingMore } = list;
  const frame = useRef<HTMLDivElement>(null);
  const table = useRef<HTMLDivElement>(null);
  // A touch leaves no pointer behind, and a click is not the keyboard's focus.
  const reasons = useRef({ pointer: false, keyboard: false, scrolled: false });
  const because = (change: Partial<typeof reasons.current>) => {
    Object.assign(reasons.current, change);
    list.hold(Object.values(reasons.current).some(Boolean));
  };
  useEffect(() => {
    because({});
    return () => list.hold(false);
  }, [list]);
  return (
    <div
      class="list-frame"
      ref={frame}
      onPointerEnter={(event) => because({ pointer: event.pointerType === "mouse" })}
      onPointerLeave={() => because({ pointer: false })}
      onFocusIn={(event: FocusEvent) =>
        because({ keyboard: event.target instanceof Element && event.target.matches(":focus-visible") })
      }
      onFocusOut={(event: FocusEvent) => {
        if (!frame.current?.contains(event.relatedTarget as Node | null)) because({ keyboard: false });
      }}
    >
      {problem.value && <Problem problem={problem.value} retry={list.refresh} />}
      <Waiting list={list} shown={() => table.current?.scrollTo({ top: 0 })} focus={() => table.current?.focus()} />
      {items.value.length > 0 ? (
        <div
          class="table-scroll"
          ref={table}
          tabIndex={0}
          role="region"
          aria-label="Table"
          onScroll={(event) => because({ scrolled: event.currentTarget.scrollTop > 0 })}
        >
          {children}
          {continuation.value !== null && (
            <button
              type="button"
              class="quiet more"
              disabled={loadingMore.value}
              onClick={() => void list.more()}
            >
              {loadingMore.value ? "Loading…" : "Show older ones"}
            </button>
          )}
        </div>
      ) : (
        !problem.value && <Empty>{loaded.value ? empty : "Asking the server…"}</Empty>
      )}
    </div>
  );
}

/** How many wait to be shown, and the way to them. */
function Waiting<T extends { id: string }>(props: { list: PagedList<T>; shown: () => void; focus: () => void }) {
  const { list, shown, focus } = props;
  const waiting = list.waiting.value;
  if (waiting === null) return null;
  return (
    <button
      type="button"
      class="waiting-pill"
      title="The list stands still while you point at it"
      onClick={() => {
        list.show();
        shown();
        focus();
      }}
    >
      {integer(waiting.count)}
      {waiting.more && "+"} new
    </button>
  );
}

export function SidePanel({
  title,
  label,
  close,
  children,
}: {
  title: ComponentChildren;
  label: string;
  close: () => void;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) close();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <aside class="side-panel" aria-label={label}>
      <header class="detail-head">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  );
}

export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
