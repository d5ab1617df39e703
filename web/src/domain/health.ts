// The answer of /api/health: one entry for each part the app stands on.

export interface HealthPart {
  name: string;
  /** Anything else than these counts as unhealthy. */
  status: "healthy" | "degraded" | "unhealthy";
  detail: string;
}

/** Parts of a health answer; whatever has another shape is passed over. */
export function healthParts(answer: unknown): HealthPart[] {
  const parts = (answer as { parts?: unknown } | null)?.parts;
  if (typeof parts !== "object" || parts === null) return [];
  return Object.entries(parts as Record<string, { status?: unknown; detail?: unknown } | null>).map(
    ([name, part]) => ({
      name,
      status: part?.status === "healthy" || part?.status === "degraded" ? part.status : "unhealthy",
      detail: typeof part?.detail === "string" ? part.detail : "",
    }),
  );
}
