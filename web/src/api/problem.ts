// Why a request did not give what was asked for, in a form the page can show.

/**
 * `offline`: no answer at all. `signIn` 401, `forbidden` 403, `missing` 404, `conflict` 409, `outdated` 412, `refused`
 * other 4xx, `server` 5xx.
 */
export type ProblemKind =
  | "offline"
  | "signIn"
  | "forbidden"
  | "missing"
  | "conflict"
  | "outdated"
  | "refused"
  | "server";

export class ApiProblem extends Error {
  constructor(
    readonly kind: ProblemKind,
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** The `errors` of a problem document (RFC 9457), as sent. */
    readonly errors: unknown[] = [],
    /** Seconds, from Retry-After. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail ? `${title}: ${detail}` : title);
    this.name = "ApiProblem";
  }
}

export function kindOf(status: number): ProblemKind {
  if (status === 401) return "signIn";
  if (status === 403) return "forbidden";
  if (status === 404) return "missing";
  if (status === 409) return "conflict";
  if (status === 412) return "outdated";
  return status >= 500 ? "server" : "refused";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The problem in an answer that was not a success; `body` is its text, a problem document or not. */
export function problemOf(
  status: number,
  statusText: string,
  body: string,
  retryAfter: string | null,
): ApiProblem {
  let document: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null)
      document = parsed as Record<string, unknown>;
  } catch {
    // Not JSON: a proxy's page, say. The status says enough.
  }
  const seconds =
    retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  return new ApiProblem(
    kindOf(status),
    status,
    text(document["title"]) || statusText || `HTTP ${status}`,
    text(document["detail"]),
    Array.isArray(document["errors"]) ? document["errors"] : [],
    seconds,
  );
}

/** One plain sentence for a person. */
export function explain(problem: unknown): string {
  if (!(problem instanceof ApiProblem)) return String(problem);
  switch (problem.kind) {
    case "offline":
      return "The server does not answer.";
    case "signIn":
      return "You are not signed in (401).";
    case "forbidden":
      return `Your account may not see or do this (403). ${problem.detail}`.trim();
    default:
      return `${problem.title}${problem.detail ? `: ${problem.detail}` : ""} (${problem.status})`;
  }
}
