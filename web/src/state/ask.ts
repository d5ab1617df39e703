// The question that stands open on the page, if any.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** How far it is, in words, and as a share of the whole where that is known. */
export type Progress = (text: string, share?: number) => void;

export interface Question {
  title: string;
  body: ComponentChildren;
  /** Word on the button that does it. */
  action: string;
  danger?: boolean;
  /** Asks for a text, which must not be empty unless it is `optional`. */
  reason?: { label: string; hint: string; optional?: boolean };
  /** It goes on in portions, and can be stopped between two of them. */
  stoppable?: boolean;
  /** Does it; may report how far it is. Resolves with what to say at the end. */
  run: (reason: string, progress: Progress, stopped: () => boolean) => Promise<ComponentChildren>;
}

export const question = signal<Question | null>(null);
