// The shapes of the HTTP API, as the page reads them. Times are RFC 3339 UTC text; lengths metres, speeds m/s, angles degrees.

export type Connectivity = "online" | "stale" | "offline";

export interface Alert {
  code: string;
  at: string | null;
}

export interface Position {
  latitude: number | null;
  longitude: number | null;
  altitude: number | null;
}

export interface Health {
  gyrometer: boolean | null;
  accelerometer: boolean | null;
  magnetometer: boolean | null;
}

export interface Derived {
  zones: string[] | null;
  healthy: boolean | null;
  outsideGeofence: boolean | null;
  altitudeLimitExceeded: boolean | null;
  distanceFromHome: number | null;
}

export interface Registration {
  name?: string | null;
  model?: string | null;
  owner?: string | null;
  [key: string]: unknown;
}

/** Where a message was delivered. */
export interface Delivery {
  partition: string;
  sequenceNumber: number;
  enqueuedAt: string;
}

export interface Drone {
  id: string;
  battery: number | null;
  flightMode: string | null;
  flightModeNumber?: number | null;
  position: Position | null;
  health?: Health | null;
  groundSpeed: number | null;
  heading: number | null;
  derived: Partial<Derived> | null;
  alerts: Alert[];
  updatedAt?: Record<string, string | null>;
  lastSeen: string | null;
  ageSeconds: number | null;
  connectivity: Connectivity;
  registration: Registration | null;
  lastMessage?: Delivery | null;
}

/** A stored message: what it did not say is absent. */
export interface Message {
  id: string;
  deviceId: string;
  time: string;
  timeSource: "device" | "hub";
  keyFrame?: boolean;
  battery?: number;
  flightMode?: string;
  position?: Partial<Position>;
  groundSpeed?: number;
  heading?: number;
  flags?: string[];
  partition: string;
  sequenceNumber: number;
  enqueuedAt: string;
}

export type BatchStatus = "received" | "running" | "completed" | "failed";

export interface Batch {
  id: string;
  hub: string;
  partition: string;
  firstSequenceNumber: number;
  lastSequenceNumber: number;
  events: number;
  messages: number | null;
  stored: number | null;
  duplicates: number | null;
  rejected: number | null;
  status: BatchStatus;
  stage: string | null;
  attempts: number;
  error: string | null;
  receivedAt: string;
  completedAt: string | null;
  instanceId: string;
  statusQueryGetUri: string | null;
}

export interface RuleError {
  code: string;
  field: string | null;
  value?: unknown;
  detail?: string | null;
}

export type DeadLetterStatus = "open" | "replayed" | "discarded";

export interface DeadLetter {
  id: string;
  status: DeadLetterStatus;
  errors: RuleError[];
  body: string;
  deviceId: string | null;
  hub: string;
  partition: string;
  offset: string | null;
  sequenceNumber: number;
  enqueuedAt: string;
  index: number | null;
  batchId: string | null;
  attempts: number;
  createdAt: string;
  resolvedAt: string | null;
  reason: string | null;
  contentType?: string | null;
  contentEncoding?: string | null;
}

export interface Stats {
  events: number;
  messages: number;
  stored: number;
  rejected: number;
  duplicates: number;
  batches: Record<BatchStatus, number>;
  deadLetters: Record<DeadLetterStatus, number>;
  drones: number;
  deadLetterCodes?: Record<string, number>;
  oldestUnfinishedAt?: string | null;
}

/** What the server lets the page know before anybody has signed in. */
export interface Config {
  mapTilesUrl: string | null;
  mapTilesAttribution?: string | null;
  lowBattery?: number | null;
  staleSeconds?: number | null;
  offlineSeconds?: number | null;
  altitudeLimitMetres?: number | null;
  authMode?: string | null;
}

export interface Page<T> {
  items: T[];
  continuation: string | null;
}

export interface ZoneCollection {
  type: "FeatureCollection";
  features: {
    type: "Feature";
    geometry: { type: string; coordinates: unknown };
    properties: {
      id?: string;
      name?: string;
      kind?: string;
      floor?: number | null;
      ceiling?: number | null;
    } | null;
  }[];
}

export interface ReplayAllBatches {
  replayed: string[];
  skipped: string[];
}

export interface ReplayAllDeadLetters {
  replayed: number;
  stillRejected: number;
  skipped: number;
}
