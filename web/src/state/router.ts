// The address of what is shown, so that it can be sent to a colleague and survives a reload.
import { effect, signal } from "@preact/signals";
import { formatRoute, parseRoute, type Route, type View } from "../domain/route";

export const route = signal<Route>(parseRoute(location.hash));

window.addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

const whole = (change: Partial<Route>, view: Route["view"]): Route => ({
  open: null,
  query: {},
  ...change,
  view: change.view ?? view,
});

export function go(change: Partial<Route>): void {
  location.hash = formatRoute(whole(change, route.value.view));
}

/** Changes what the list in sight is filtered by. `quietly`: without a step in the history, and what is open stays open. */
export function refine(part: Record<string, string>, quietly = false): void {
  const { view, open, query } = route.value;
  const wanted: Route = { view, open: quietly ? open : null, query: { ...query, ...part } };
  if (!quietly) return go(wanted);
  history.replaceState(history.state, "", formatRoute(wanted));
  route.value = parseRoute(location.hash);
}

export const link = (change: Partial<Route>): string => formatRoute(whole(change, "fleet"));

const lastQueries = new Map<Route["view"], Route["query"]>();
effect(() => {
  lastQueries.set(route.value.view, route.value.query);
});

/** The way back to a view as it was left: its list filtered as before. */
export const back = (view: View): string => link({ view, query: lastQueries.get(view) ?? {} });
