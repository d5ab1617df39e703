// The answer of /api/health: one entry for each part the app stands on.

export interface HealthPart {
  name: string;
  ok: boolean;
  detail: string;
}

/** Parts of a health answer; whatever has another shape is passed over. */
export function healthParts(answer: unknown): HealthPart[] {
  const parts = (answer as { parts?: unknown } | null)?.parts;
  if (typeof parts !== "object" || parts === null) return [];
  return Object.entries(parts as Record<string, { status?: unknown; detail?: unknown } | null>).map(
    ([name, part]) => ({
      name,
      ok: part?.status === "healthy",
      detail: typeof part?.detail === "string" ? part.detail : "",
    }),
  );
}
