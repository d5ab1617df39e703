// A list of any length of which only the rows in sight exist: a listbox, moved through with the arrow keys.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface VirtualListProps<T> {
  label: string;
  items: readonly T[];
  rowHeight: number;
  keyOf: (item: T) => string;
  selected: string | null;
  onSelect: (key: string) => void;
  row: (item: T) => ComponentChildren;
}

const OVERSCAN = 6;
const domId = (key: string) => `row-${encodeURIComponent(key)}`;

export function VirtualList<T>(props: VirtualListProps<T>) {
  const { items, rowHeight, keyOf, selected, onSelect } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState<string | null>(selected);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const indexOf = (key: string | null) =>
    key === null ? -1 : items.findIndex((item) => keyOf(item) === key);

  const reveal = (at: number) => {
    const element = box.current;
    if (!element || at < 0) return;
    const from = at * rowHeight;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = from + rowHeight - element.clientHeight;
    }
    setTop(element.scrollTop);
  };

  // Before the next key is handled: later it would take a person back from where End has just brought them.
  useLayoutEffect(() => {
    setActive(selected);
    reveal(indexOf(selected));
  }, [selected]);

  const onKeyDown = (event: KeyboardEvent) => {
    const at = indexOf(active);
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: items.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const target = Math.min(items.length - 1, Math.max(0, to));
      const item = items[target];
      if (item === undefined) return;
      setActive(keyOf(item));
      reveal(target);
    } else if ((event.key === "Enter" || event.key === " ") && active !== null) {
      event.preventDefault();
      onSelect(active);
    }
  };

  const first = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const visible = items.slice(first, first + Math.ceil(height / rowHeight) + 2 * OVERSCAN);
  const activeIndex = indexOf(active);
  const activeVisible = activeIndex >= first && activeIndex < first + visible.length;
  return (
    <div
      class="virtual-list"
      ref={box}
      role="listbox"
      tabIndex={0}
      aria-label={props.label}
      {...(activeVisible && active !== null ? { "aria-activedescendant": domId(active) } : {})}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
      onFocus={() => {
        const item = items[first];
        if (activeIndex < 0 && item !== undefined) setActive(keyOf(item));
      }}
    >
      <div class="virtual-space" role="presentation" style={{ height: `${items.length * rowHeight}px` }}>
        {visible.map((item, offset) => {
          const key = keyOf(item);
          return (
            <div
              key={key}
              id={domId(key)}
              class={`virtual-row${key === active ? " active" : ""}`}
              role="option"
              aria-selected={key === selected}
              aria-posinset={first + offset + 1}
              aria-setsize={items.length}
              style={{ height: `${rowHeight}px`, transform: `translateY(${(first + offset) * rowHeight}px)` }}
              onClick={() => onSelect(key)}
            >
              {props.row(item)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
