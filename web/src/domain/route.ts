// What the address says: which view, and what is open in it. `#/fleet/drone-7`, `#/batches?status=failed`.

export const VIEWS = ["fleet", "flights", "pipeline", "batches", "deadletters"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  /** The id that is open in the view, or null. */
  open: string | null;
  query: Record<string, string>;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Anything that is no address of ours is the fleet. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const [, view = "", open] = path.split("/");
  const query = Object.fromEntries(new URLSearchParams(search));
  if (!VIEWS.includes(view as View)) return { view: "fleet", open: null, query: {} };
  return { view: view as View, open: open ? decoded(open) : null, query };
}

export function formatRoute({ view, open, query }: Route): string {
  const filled = Object.entries(query).filter(([, value]) => value !== "");
  const search = filled.length ? `?${new URLSearchParams(filled)}` : "";
  return `#/${view}${open ? `/${encodeURIComponent(open)}` : ""}${search}`;
}
