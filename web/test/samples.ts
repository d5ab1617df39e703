// Samples that the tests vary.
import type { Batch, Derived, Drone, Message, Stats } from "../src/api/shapes";

export const derived = (change: Partial<Derived> = {}): Derived => ({
  zones: [],
  healthy: null,
  outsideGeofence: null,
  altitudeLimitExceeded: null,
  distanceFromHome: null,
  ...change,
});

export const drone = (id: string, change: Partial<Drone> = {}): Drone => ({
  id,
  battery: 0.8,
  flightMode: "inflight",
  position: { latitude: 47.4, longitude: -122.1, altitude: 50, height: null, altitudeReference: "takeoff" },
  groundSpeed: 5,
  heading: 90,
  verticalSpeed: null,
  signal: null,
  mission: null,
  flightModeNumber: 3,
  health: null,
  derived: derived(),
  alerts: [],
  updatedAt: {},
  lastSeen: "2026-01-01T00:00:10Z",
  ageSeconds: 1,
  connectivity: "online",
  registration: null,
  lastMessage: { partition: "0", sequenceNumber: 1, enqueuedAt: "2026-01-01T00:00:10Z" },
  ...change,
});

export const message = (time: string, change: Partial<Message> = {}): Message => ({
  id: `m-${time}`,
  deviceId: "drone-1",
  time,
  timeSource: "device",
  partition: "0",
  sequenceNumber: 1,
  index: 0,
  keyFrame: false,
  flags: [],
  enqueuedAt: time,
  ...change,
});

export const batch = (change: Partial<Batch> = {}): Batch => ({
  id: "b",
  hub: "telemetry",
  partition: "0",
  firstSequenceNumber: 0,
  lastSequenceNumber: 9,
  events: 10,
  messages: 10,
  stored: 10,
  duplicates: 0,
  rejected: 0,
  status: "completed",
  stage: null,
  attempts: 1,
  error: null,
  receivedAt: "2026-01-01T00:00:00Z",
  completedAt: "2026-01-01T00:00:01Z",
  instanceId: "i",
  statusQueryGetUri: "http://localhost/status",
  ...change,
});

export const stats = (change: Partial<Stats> = {}): Stats => ({
  events: 10,
  messages: 10,
  stored: 8,
  duplicates: 1,
  rejected: 1,
  batches: { received: 0, running: 0, completed: 1, failed: 0 },
  deadLetters: { open: 1, replayed: 0, discarded: 0 },
  deadLetterCodes: {},
  drones: 1,
  unprocessed: 0,
  oldestUnprocessedAt: null,
  oldestUnfinishedAt: null,
  held: { batches: 0, since: null },
  ...change,
});
