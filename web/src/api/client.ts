// The only place that talks to the server. Same origin, JSON, a deadline for each request.
import { ApiProblem, problemOf } from "./problem";
import type {
  Alert,
  Batch,
  BatchInstance,
  CheckedCopy,
  Config,
  DeadLetter,
  DeadLetterGroups,
  Drone,
  Flight,
  Instance,
  InstanceDetail,
  Me,
  Message,
  Page,
  ReplayAllBatches,
  ReplayAllDeadLetters,
  RecoveryReport,
  Stats,
  StatsHistory,
  ZoneCollection,
} from "./shapes";

export type Query = Record<string, string | number | null | undefined>;

const DEADLINE_MS = 20_000;
// A bulk replay runs every letter before it answers.
const BULK_DEADLINE_MS = 10 * 60_000;

export function queryString(query: Query): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "")
      parts.set(name, String(value));
  }
  const text = parts.toString();
  return text ? `?${text}` : "";
}

/** An answer with the entity tag that names its state, where it has one. */
export interface Tagged<T> {
  value: T;
  tag: string | null;
}

interface Options {
  deadline?: number;
  /** The tag of the state that is changed. */
  ifMatch?: string | null;
  /** A status that is an answer all the same. */
  answers?: number;
}

const request = async <T>(method: string, path: string, body?: unknown, deadline?: number): Promise<T> =>
  (await exchange<T>(method, path, body, deadline === undefined ? {} : { deadline })).value;

export async function exchange<T>(
  method: string,
  path: string,
  body?: unknown,
  { deadline = DEADLINE_MS, ifMatch = null, answers = 200 }: Options = {},
): Promise<Tagged<T>> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (ifMatch !== null) headers["If-Match"] = ifMatch;
  const init: RequestInit = {
    method,
    headers,
    cache: "no-store",
    credentials: "same-origin",
    // A sign-in that ran out is answered with the way to the sign-in page, which is no answer to a question.
    redirect: "manual",
    signal: AbortSignal.timeout(deadline),
  };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response: Response;
  let content: string;
  try {
    response = await fetch(path, init);
    content = await response.text();
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiProblem(
      "offline",
      0,
      late ? "No answer in time" : "No connection",
      late ? `No answer within ${deadline / 1000} s.` : "The server does not answer.",
    );
  }
  if (response.type === "opaqueredirect") {
    throw new ApiProblem("signIn", 401, "Signed out", "The server asks to sign in.");
  }
  if (!response.ok && response.status !== answers) {
    throw problemOf(
      response.status,
      response.statusText,
      content,
      response.headers.get("Retry-After"),
    );
  }
  try {
    const value = (content ? JSON.parse(content) : null) as T;
    return { value, tag: response.headers.get("ETag") };
  } catch {
    throw new ApiProblem(
      "server",
      response.status,
      "Not an answer of this API",
      `${method} ${path} did not answer with JSON.`,
    );
  }
}

const id = encodeURIComponent;

/** Every page of a list, following its continuation, at most `most` items. */
export async function everything<T>(
  page: (continuation: string | null) => Promise<Page<T>>,
  most: number,
): Promise<T[]> {
  const items: T[] = [];
  let continuation: string | null = null;
  do {
    const part: Page<T> = await page(continuation);
    items.push(...part.items);
    continuation = part.continuation;
  } while (continuation !== null && items.length < most);
  return items;
}

export const api = {
  config: () => request<Config>("GET", "/api/config"),
  me: () => request<Me>("GET", "/api/me"),
  zones: () => request<ZoneCollection>("GET", "/api/zones"),
  drones: (query: Query) =>
    request<Page<Drone>>("GET", `/api/drones${queryString(query)}`),
  drone: (drone: string) => request<Drone>("GET", `/api/drones/${id(drone)}`),
  history: (drone: string, query: Query) =>
    request<Page<Message>>(
      "GET",
      `/api/drones/${id(drone)}/history${queryString(query)}`,
    ),
  flights: (query: Query) => request<Page<Flight>>("GET", `/api/flights${queryString(query)}`),
  flight: (flight: string) => request<Flight>("GET", `/api/flights/${id(flight)}`),
  /** Where the browser itself gets a flight's track as a file. */
  trackUrl: (flight: string, format: string) =>
    `/api/flights/${id(flight)}/track${queryString({ format })}`,
  alerts: (query: Query) => request<Page<Alert>>("GET", `/api/alerts${queryString(query)}`),
  alert: (alert: string) => request<Alert>("GET", `/api/alerts/${id(alert)}`),
  acknowledgeAlert: (alert: string, note: string | null) =>
    request<Alert>("POST", `/api/alerts/${id(alert)}/acknowledge`, { note }),
  notifyAlert: (alert: string) => request<Alert>("POST", `/api/alerts/${id(alert)}/notify`, {}),
  stats: () => request<Stats>("GET", "/api/stats"),
  statsHistory: (since: string) =>
    request<StatsHistory>("GET", `/api/stats/history${queryString({ since })}`),
  /** 503 says which part is down. */
  health: async () => (await exchange<unknown>("GET", "/api/health", undefined, { answers: 503 })).value,
  recovery: () => request<RecoveryReport>("GET", "/api/recovery"),
  batches: (query: Query) =>
    request<Page<Batch>>("GET", `/api/batches${queryString(query)}`),
  batch: (batch: string) => request<Batch>("GET", `/api/batches/${id(batch)}`),
  batchInstance: (batch: string, attempt: number) =>
    request<BatchInstance>("GET", `/api/batches/${id(batch)}/instance${queryString({ attempt })}`),
  replayBatch: (batch: string) =>
    request<{ id?: string; statusQueryGetUri?: string }>(
      "POST",
      `/api/batches/${id(batch)}/replay`,
    ),
  replayBatches: (body: { status: string; limit: number }) =>
    request<ReplayAllBatches>("POST", "/api/batches/replay", body, BULK_DEADLINE_MS),
  deadLetters: (query: Query) =>
    request<Page<DeadLetter>>("GET", `/api/deadletters${queryString(query)}`),
  deadLetter: (letter: string) =>
    request<DeadLetter>("GET", `/api/deadletters/${id(letter)}`),
  replayDeadLetter: (letter: string) =>
    request<DeadLetter>("POST", `/api/deadletters/${id(letter)}/replay`),
  deadLetterGroups: (query: Query) =>
    request<DeadLetterGroups>("GET", `/api/deadletter-groups${queryString(query)}`),
  replayDeadLetters: (ids: readonly string[]) =>
    request<ReplayAllDeadLetters>("POST", "/api/deadletters/replay", { ids }, BULK_DEADLINE_MS),
  /** What a corrected copy would become; nothing is kept. */
  checkCopy: (letter: string, text: string) =>
    request<CheckedCopy>("POST", `/api/deadletters/${id(letter)}/check`, { text }),
  correctDeadLetter: (letter: string, text: string) =>
    request<DeadLetter>("POST", `/api/deadletters/${id(letter)}/correct`, { text }),
  instances: (query: Query) =>
    request<Page<Instance>>("GET", `/api/instances${queryString(query)}`),
  instance: (instance: string) =>
    request<InstanceDetail>("GET", `/api/instances/${id(instance)}`),
  steerInstance: (instance: string, operation: "suspend" | "resume" | "terminate", reason: string) =>
    request<{ id: string }>("POST", `/api/instances/${id(instance)}/${operation}`, reason ? { reason } : {}),
  restartInstance: (instance: string) =>
    request<{ id: string }>("POST", `/api/instances/${id(instance)}/restart`),
  purgeInstance: (instance: string) =>
    request<null>("DELETE", `/api/instances/${id(instance)}`),
  discardDeadLetter: (letter: string, reason: string) =>
    request<DeadLetter>("POST", `/api/deadletters/${id(letter)}/discard`, { reason }),
};
