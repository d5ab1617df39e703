// The question that stands open on the page, if any.
import { signal } from "@preact/signals";
import type { Question } from "../components/dialog";

export const question = signal<Question | null>(null);
