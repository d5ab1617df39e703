// What a step of ours is called.
import { STAGE_OF_ACTIVITY } from "../api/types";
import type { Step } from "../domain/durableHistory";
import { words } from "../domain/format";

export function stepTitle({ name }: Step): string {
  const stage = STAGE_OF_ACTIVITY[name];
  return stage === "fail" ? "Note the failure" : stage ? words(stage) : name;
}
