// The frame round every view: navigation, state of the connection, figures that matter everywhere, theme.
import { Dialog } from "../components/dialog";
import { Icon } from "../components/icons";
import { integer, rate as formatRate } from "../domain/format";
import { VIEWS, type View } from "../domain/route";
import { duration } from "../domain/time";
import { serverClock, now } from "../state/clock";
import { question } from "../state/ask";
import { askNow, connection, connectionState, type ConnectionState } from "../state/fleet";
import { lag, pipelineReport, rate, stats } from "../state/pipeline";
import { link, route } from "../state/router";
import { chooseTheme, themeChoice, type ThemeChoice } from "../state/theme";
import { BatchesView } from "./batches";
import { DeadLettersView } from "./deadLetters";
import { FleetView } from "./fleet";
import { FlightsView } from "./flights";
import { PipelineView } from "./pipeline";

const TITLES: Record<View, { title: string; icon: string }> = {
  fleet: { title: "Fleet", icon: "map" },
  flights: { title: "Flights", icon: "path" },
  pipeline: { title: "Pipeline", icon: "pulse" },
  batches: { title: "Batches", icon: "layers" },
  deadletters: { title: "Dead letters", icon: "tray" },
};

const VIEW_OF: Record<View, () => preact.JSX.Element> = {
  fleet: FleetView,
  flights: FlightsView,
  pipeline: PipelineView,
  batches: BatchesView,
  deadletters: DeadLettersView,
};

export function Shell() {
  const { view } = route.value;
  const Current = VIEW_OF[view];
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        Skip to content
      </a>
      <header class="top">
        <div class="brand">
          <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
            <path d="M16 4l10 24-10-5-10 5z" />
          </svg>
          <span>Drone Telemetry</span>
        </div>
        <nav aria-label="Views">
          {VIEWS.map((name) => (
            <a key={name} href={link({ view: name })} {...(name === view ? { "aria-current": "page" } : {})}>
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
        <ThemeSwitch />
      </header>
      <LostBanner />
      <Current />
      {question.value && (
        <Dialog
          key={question.value.title}
          question={question.value}
          close={() => (question.value = null)}
        />
      )}
    </>
  );
}

function NavCount({ view }: { view: View }) {
  const counted = stats.value;
  if (!counted) return null;
  const count =
    view === "batches" ? counted.batches.failed : view === "deadletters" ? counted.deadLetters.open : 0;
  if (!count) return null;
  return (
    <span class={`nav-count ${view}`}>
      {count > 999 ? "999+" : count}
      <span class="visually-hidden">{view === "batches" ? " failed" : " open"}</span>
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

const STATES: Record<ConnectionState, string> = {
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

/** Says in full that what is shown is old, how old, and when it is tried again. */
function LostBanner() {
  const { answeredAt, nextAt, problem } = connection.value;
  if (connectionState.value !== "lost") return null;
  const local = now.value - serverClock.offset;
  const wait = Math.max(0, Math.ceil((nextAt - local) / 1000));
  return (
    <div class="banner" role="alert">
      <Icon name="lost" />
      <p>
        <strong>Connection lost.</strong>{" "}
        {problem?.kind === "offline" ? "The server does not answer." : `${problem?.title} (${problem?.status}).`}{" "}
        <span aria-live="off">
          {answeredAt === null
            ? "Nothing has been received yet. "
            : `What you see is ${duration((local - answeredAt) / 1000)} old. `}
          {wait > 0 ? `Trying again in ${integer(wait)} s.` : "Trying again…"}
        </span>
      </p>
      <button type="button" class="quiet" onClick={askNow}>
        Try now
      </button>
    </div>
  );
}

const CHOICES: readonly (readonly [ThemeChoice, string, string])[] = [
  ["system", "system", "Theme of the system"],
  ["light", "sun", "Light theme"],
  ["dark", "moon", "Dark theme"],
];

function ThemeSwitch() {
  return (
    <div class="segments theme" role="group" aria-label="Theme">
      {CHOICES.map(([choice, icon, label]) => (
        <button
          key={choice}
          type="button"
          aria-pressed={themeChoice.value === choice}
          aria-label={label}
          title={label}
          onClick={() => chooseTheme(choice)}
        >
          <Icon name={icon} size={14} />
        </button>
      ))}
    </div>
  );
}
