// What may be done to an orchestration, and in which state.
import type { Instance } from "../api/shapes";

export type InstanceStatus = Instance["status"];
export type Operation = "suspend" | "resume" | "terminate" | "restart" | "purge";

const OVER: readonly InstanceStatus[] = ["Completed", "Failed", "Terminated", "Canceled"];

export const isOver = (status: InstanceStatus): boolean => OVER.includes(status);

// Known by their ids: the server refuses a copy under another one.
const ONE_OF_ITS_ID: readonly string[] = ["alert_monitor", "alert_episode", "alert_delivery"];

/** As the server holds it. */
export function allowed(operation: Operation, { status, name }: Pick<Instance, "status" | "name">): boolean {
  switch (operation) {
    case "restart":
      return isOver(status) && !ONE_OF_ITS_ID.includes(name.toLowerCase());
    case "suspend":
      return !isOver(status) && status !== "Suspended";
    case "resume":
      return status === "Suspended";
    case "terminate":
      return !isOver(status);
    default:
      return isOver(status);
  }
}
