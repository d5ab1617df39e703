// Who is signed in, what they may, and the way in and out. Absent where the app asks nobody to sign in.
import { Icon } from "../components/icons";
import { Menu } from "../components/menu";
import { me, session, signInHere, signOut } from "../state/session";

const MAY: readonly (readonly [string, string])[] = [
  ["GetStatus", "see drones, flights, alerts and zones"],
  ["SendTelemetry", "send telemetry"],
  ["Operate", "see and run the pipeline: batches, dead letters, alerts, zones"],
];

export function AccountMenu() {
  const state = session.value;
  if (state === "none" || state === "unknown") return null;
  if (state === "signedOut") {
    return (
      <a class="button primary" href={signInHere()} onMouseDown={toHere} onFocus={toHere}>
        Sign in
      </a>
    );
  }
  const { name, roles } = me.value ?? { name: null, roles: [] };
  return (
    <Menu label="Account" button={<Icon name="person" />}>
      {() => (
        <>
          <p class="break">
            Signed in as <strong>{name ?? "somebody without a name"}</strong>
          </p>
          <ul class="rights" aria-label="What you may">
            {MAY.map(([role, what]) => {
              const held = roles.some((one) => one === role);
              return (
                <li key={role} class={held ? "held" : "muted"}>
                  <Icon name={held ? "check" : "close"} size={13} />
                  <span>
                    <span class="visually-hidden">{held ? "You may " : "You may not "}</span>
                    {what} <code>{role}</code>
                  </span>
                </li>
              );
            })}
          </ul>
          <a class="button" href={signOut}>
            Sign out
          </a>
        </>
      )}
    </Menu>
  );
}

/** What is shown may have changed since the link was drawn. */
function toHere(event: { currentTarget: HTMLAnchorElement }): void {
  event.currentTarget.href = signInHere();
}
