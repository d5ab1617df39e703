// The question that stands open on the page, if any.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

export interface Question {
  title: string;
  body: ComponentChildren;
  /** Word on the button that does it. */
  action: string;
  danger?: boolean;
  /** Asks for a text, which must not be empty. */
  reason?: { label: string; hint: string };
  /** Does it; may report how far it is. Resolves with what to say at the end. */
  run: (reason: string, progress: (text: string) => void) => Promise<ComponentChildren>;
}

export const question = signal<Question | null>(null);
