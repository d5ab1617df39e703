// The shapes of the HTTP API by the names that the page has for them. What they hold is generated: see types.ts.
import type { Drone, Batch, DeadLetter, DeadLetterGroup, Me, PageSettings, ReplayedBatches, ReplayedDeadLetters, Zones } from "./types";

export type {
  Alert,
  Batch,
  BatchInstance,
  CheckedCopy,
  Correction,
  DeadLetter,
  DeadLetterGroups,
  Drone,
  Flight,
  Instance,
  InstanceDetail,
  Me,
  Message,
  RecoveryReport,
  RuleError,
  Stats,
  StatsHistory,
  StatsSample,
  ZonesVersion,
} from "./types";

export type Connectivity = Drone["connectivity"];
export type AlertCode = Drone["alerts"][number]["code"];
export type Position = NonNullable<Drone["position"]>;
export type Health = NonNullable<Drone["health"]>;
export type Derived = Drone["derived"];
export type Registration = NonNullable<Drone["registration"]>;
/** Where a message was delivered. */
export type Delivery = NonNullable<Drone["lastMessage"]>;
export type BatchStatus = Batch["status"];
export type DeadLetterStatus = DeadLetter["status"];
export type Role = Me["roles"][number];
/** What the server lets the page know before anybody has signed in. */
export type Config = PageSettings;
export type ZoneCollection = Zones;
export type ReplayAllBatches = ReplayedBatches;
export type LetterGroup = DeadLetterGroup;
export type ReplayAllDeadLetters = ReplayedDeadLetters;

export interface Page<T> {
  items: T[];
  continuation: string | null;
}
