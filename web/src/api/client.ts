// The only place that talks to the server. Same origin, JSON, a deadline for each request.
import { ApiProblem, problemOf } from "./problem";
import type {
  Batch,
  Config,
  DeadLetter,
  Drone,
  Flight,
  Message,
  Page,
  ReplayAllBatches,
  ReplayAllDeadLetters,
  Stats,
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

async function request<T>(
  method: string,
  path: string,
  body?: unknown,
  deadline = DEADLINE_MS,
): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
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
  if (!response.ok) {
    throw problemOf(
      response.status,
      response.statusText,
      content,
      response.headers.get("Retry-After"),
    );
  }
  try {
    return (content ? JSON.parse(content) : null) as T;
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
  stats: () => request<Stats>("GET", "/api/stats"),
  health: () => request<unknown>("GET", "/api/health"),
  batches: (query: Query) =>
    request<Page<Batch>>("GET", `/api/batches${queryString(query)}`),
  batch: (batch: string) => request<Batch>("GET", `/api/batches/${id(batch)}`),
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
  replayDeadLetters: (filter: Record<string, string>) =>
    request<ReplayAllDeadLetters>(
      "POST",
      "/api/deadletters/replay",
      filter,
      BULK_DEADLINE_MS,
    ),
  discardDeadLetter: (letter: string, reason: string) =>
    request<DeadLetter>("POST", `/api/deadletters/${id(letter)}/discard`, { reason }),
};
