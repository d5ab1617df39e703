// Finding: a drone by any of its names, a view, or anything by its id.
import { useSignal } from "@preact/signals";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Empty } from "../components/basics";
import { Modal } from "../components/modal";
import { find } from "../domain/find";
import { VIEWS, type View } from "../domain/route";
import { rows } from "../state/fleet";
import { go } from "../state/router";
import { TITLES } from "./titles";

const NAMES = Object.fromEntries(VIEWS.map((view) => [view, TITLES[view].title])) as Record<View, string>;

export function Finder({ close }: { close: () => void }) {
  const text = useSignal("");
  const at = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  useLayoutEffect(() => input.current?.focus(), []);
  const found = find(text.value, rows.value, NAMES);
  const active = Math.min(at.value, found.length - 1);
  const take = (index: number) => {
    const one = found[index];
    if (!one) return;
    close();
    go({ open: null, query: {}, ...one.to });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      at.value = (active + step + found.length) % Math.max(1, found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(active);
    }
  };
  return (
    <Modal title="Find" look="finder" close={close}>
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label="Find a drone, a view, or anything by its id"
        aria-expanded={found.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        {...(found.length > 0 ? { "aria-activedescendant": `${list}-${active}` } : {})}
        placeholder="Drone, view, or an id"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={list} class="found" role="listbox" aria-label="Found">
        {found.map(({ title, hint }, index) => (
          <li
            key={`${hint} ${title}`}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === active}
            onClick={() => take(index)}
          >
            <span class="break">{title}</span>
            <span class="muted small">{hint}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <Empty>Nothing has this name. An id must be whole.</Empty>}
      <p class="visually-hidden" role="status">
        {found.length} found
      </p>
    </Modal>
  );
}
