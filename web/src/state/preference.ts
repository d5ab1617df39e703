// What a person has chosen once, kept by the browser.
import { signal, type ReadonlySignal } from "@preact/signals";

export interface Preference<T extends string> extends ReadonlySignal<T> {
  choose: (value: T) => void;
}

/** One of `allowed`; the first of them until a person chooses. */
export function preference<T extends string>(key: string, allowed: readonly [T, ...T[]]): Preference<T> {
  const [usual] = allowed;
  const value = signal(remembered(key, allowed) ?? usual);
  const choose = (chosen: T) => {
    value.value = chosen;
    try {
      if (chosen === usual) localStorage.removeItem(key);
      else localStorage.setItem(key, chosen);
    } catch {
      // Storage may be closed to the page; the choice then lasts until it is left.
    }
  };
  return Object.assign(value, { choose });
}

function remembered<T extends string>(key: string, allowed: readonly T[]): T | null {
  try {
    const value = localStorage.getItem(key);
    return allowed.find((one) => one === value) ?? null;
  } catch {
    return null;
  }
}
