// The address of what is shown, so that it can be sent to a colleague and survives a reload.
import { signal } from "@preact/signals";
import { formatRoute, parseRoute, type Route } from "../domain/route";

export const route = signal<Route>(parseRoute(location.hash));

window.addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

export function go(change: Partial<Route>): void {
  location.hash = formatRoute({ open: null, query: {}, ...change, view: change.view ?? route.value.view });
}

export const link = (change: Partial<Route>): string =>
  formatRoute({ open: null, query: {}, ...change, view: change.view ?? "fleet" });
