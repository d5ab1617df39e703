// What the address says: which view, and what is open in it. `#/fleet/drone-7`, `#/batches?status=failed`.

export const VIEWS = ["fleet", "flights", "alerts", "zones", "pipeline", "batches", "deadletters", "instances"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  /** `unknown`: the address is none of ours; `open` then holds it. */
  view: View | "unknown";
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

/** No address at all is the fleet. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const [start = "", view = "", open, ...rest] = path.split("/");
  if (path === "" || path === "/") return { view: "fleet", open: null, query: {} };
  if (start !== "" || rest.length > 0 || !VIEWS.includes(view as View)) {
    return { view: "unknown", open: hash, query: {} };
  }
  const query = Object.fromEntries(new URLSearchParams(search));
  return { view: view as View, open: open ? decoded(open) : null, query };
}

export function formatRoute({ view, open, query }: Route): string {
  if (view === "unknown") return open ?? "#/";
  const filled = Object.entries(query).filter(([, value]) => value !== "");
  const search = filled.length ? `?${new URLSearchParams(filled)}` : "";
  return `#/${view}${open ? `/${encodeURIComponent(open)}` : ""}${search}`;
}
