// The bar above every view: where one is, how the pipeline does, whether the page is live, the time, settings.
import { Icon } from "../components/icons";
import { rate as formatRate } from "../domain/format";
import { VIEWS, type View } from "../domain/route";
import { duration } from "../domain/time";
import { openAlerts } from "../state/alerts";
import { now } from "../state/clock";
import { clock, switchZone, zone } from "../state/display";
import { connectionState, type ConnectionState } from "../state/fleet";
import { over } from "../state/keys";
import { lag, pipelineReport, rate, stats } from "../state/pipeline";
import { back, route } from "../state/router";
import { AccountMenu } from "./accountMenu";
import { SettingsMenu } from "./settingsMenu";
import { TITLES } from "./titles";

export function TopBar() {
  const { view } = route.value;
  return (
    <header class="top">
      <div class="brand">
        <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M16 4l10 24-10-5-10 5z" />
        </svg>
        <span>Drone Telemetry</span>
      </div>
      <nav aria-label="Views">
        {VIEWS.map((name) => (
          <a key={name} href={back(name)} title={TITLES[name].title} {...(name === view ? { "aria-current": "page" } : {})}>
            <Icon name={TITLES[name].icon} />
            <span>{TITLES[name].title}</span>
            <NavCount view={name} />
          </a>
        ))}
      </nav>
      <div class="top-figures">
        <TopFigures />
      </div>
      <ConnectionPill />
      <TimeNow />
      <button
        type="button"
        class="icon-button"
        aria-label="Find"
        title="Find (/)"
        onClick={() => (over.value = "find")}
      >
        <Icon name="search" />
      </button>
      <SettingsMenu />
      <AccountMenu />
    </header>
  );
}

const COUNTS: Partial<Record<View, () => number | undefined>> = {
  alerts: () => openAlerts.value.items.length,
  batches: () => stats.value?.batches.failed,
  deadletters: () => stats.value?.deadLetters.open,
};
const COUNTED: Partial<Record<View, string>> = {
  alerts: "active and not acknowledged",
  batches: "failed",
  deadletters: "open",
};

function NavCount({ view }: { view: View }) {
  const count = COUNTS[view]?.() ?? 0;
  if (!count) return null;
  const more = view === "alerts" && openAlerts.value.more;
  return (
    <span class={`nav-count ${view}`}>
      {count > 999 ? "999+" : `${count}${more ? "+" : ""}`}
      <span class="visually-hidden"> {COUNTED[view]}</span>
    </span>
  );
}

function TopFigures() {
  if (pipelineReport.value.problem || !stats.value) return null;
  const waiting = lag.value;
  return (
    <>
      <span title="Messages a second, over 30 s">
        <b>{formatRate(rate.value)}</b> msg/s
      </span>
      <span title="Longest that an unfinished batch has waited" class={waiting > 15 ? "late" : ""}>
        lag <b>{waiting < 1 ? "0 s" : duration(waiting)}</b>
      </span>
    </>
  );
}

export const STATES: Record<ConnectionState, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Connection lost",
  denied: "No access",
};

function ConnectionPill() {
  const state = connectionState.value;
  return (
    <div class={`pill ${state}`} role="status">
      {state === "lost" || state === "denied" ? (
        <Icon name={state === "lost" ? "lost" : "alert"} size={13} />
      ) : (
        <span class="pill-light" />
      )}
      {STATES[state]}
    </div>
  );
}

/** The server's time; a click reads all times in the other zone. */
function TimeNow() {
  const other = zone.value === "utc" ? "local time" : "UTC";
  return (
    <button type="button" class="quiet time-now" title={`Show times in ${other}`} onClick={switchZone}>
      <span class="visually-hidden">Show times in {other}. It is </span>
      {clock(new Date(now.value).toISOString())}
    </button>
  );
}
