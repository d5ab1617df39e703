// What the views with a table share: the table's frame, "show more", and the panel beside it for the row that is open.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
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
  return (
    <>
      {problem.value && <Problem problem={problem.value} retry={list.refresh} />}
      {items.value.length > 0 ? (
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Table">
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
    </>
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
