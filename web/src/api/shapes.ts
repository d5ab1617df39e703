// The shapes of the HTTP API by the names that the page has for them. What they hold is generated: see types.ts.
import type { Drone, Batch, DeadLetter, PageSettings, ReplayedBatches, ReplayedDeadLetters, Zones } from "./types";

export type { Batch, DeadLetter, Drone, Flight, Message, RuleError, Stats } from "./types";

export type Connectivity = Drone["connectivity"];
export type Alert = Drone["alerts"][number];
export type Position = NonNullable<Drone["position"]>;
export type Health = NonNullable<Drone["health"]>;
export type Derived = Drone["derived"];
export type Registration = NonNullable<Drone["registration"]>;
/** Where a message was delivered. */
export type Delivery = NonNullable<Drone["lastMessage"]>;
export type BatchStatus = Batch["status"];
export type DeadLetterStatus = DeadLetter["status"];
/** What the server lets the page know before anybody has signed in. */
export type Config = PageSettings;
export type ZoneCollection = Zones;
export type ReplayAllBatches = ReplayedBatches;
export type ReplayAllDeadLetters = ReplayedDeadLetters;

export interface Page<T> {
  items: T[];
  continuation: string | null;
}
