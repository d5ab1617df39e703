// Who is signed in, and what they may. Where the app runs without authentication there is nobody to sign in, and nothing
// of it is shown.
import { computed, effect, signal } from "@preact/signals";
import { api } from "../api/client";
import { ApiProblem } from "../api/problem";
import type { Me, Role } from "../api/shapes";
import { signInUrl, signOutUrl } from "../domain/signIn";
import { Poller } from "./poller";
import { config } from "./settings";

const EVERY_MS = 5 * 60_000;

/** Null until it is known. */
export const me = signal<Me | null>(null);

/** `none`: the app asks nobody to sign in. `unknown`: not told yet. */
export type Session = "none" | "unknown" | "signedOut" | "signedIn";
export const session = computed<Session>(() => {
  if (config.value?.authMode === "none") return "none";
  if (me.value === null) return "unknown";
  return me.value.signedIn ? "signedIn" : "signedOut";
});

/** Why this person may not do what needs the role; null when they may, or when only the server can tell. */
export function barred(role: Role): string | null {
  if (session.value === "signedOut") return "Sign in to do this.";
  if (session.value !== "signedIn" || me.value?.roles.includes(role)) return null;
  return `This needs the role ${role}, which your account does not have.`;
}

/** Where a click signs in and comes back to what is shown now. */
export const signInHere = (): string => signInUrl(location);
export const signOut = signOutUrl;

const SIGNED_OUT: Me = { signedIn: false, name: null, roles: [] };

async function ask(): Promise<void> {
  try {
    me.value = await api.me();
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.kind !== "signIn") throw error;
    me.value = SIGNED_OUT;
  }
}

export function startSession(): void {
  let asking = false;
  effect(() => {
    if (asking || config.value?.authMode !== "app-service") return;
    asking = true;
    new Poller(ask, EVERY_MS).start();
  });
}
