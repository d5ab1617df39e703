// The frame round every view: the bar, what is wrong with the connection, the view, and the question that stands open.
import { Dialog } from "../components/dialog";
import { Icon } from "../components/icons";
import { integer } from "../domain/format";
import type { Route } from "../domain/route";
import { duration } from "../domain/time";
import { question } from "../state/ask";
import { now, serverClock } from "../state/clock";
import { askNow, connection, connectionState } from "../state/fleet";
import { over } from "../state/keys";
import { route } from "../state/router";
import { isWall } from "../state/wall";
import { AlertsView } from "./alerts";
import { BatchesView } from "./batches";
import { DeadLettersView } from "./deadLetters";
import { Finder } from "./finder";
import { FleetView } from "./fleet";
import { FlightsView } from "./flights";
import { InstancesView } from "./instances";
import { KeysHelp } from "./keysHelp";
import { later } from "./later";
import { PipelineView } from "./pipeline";
import { TopBar } from "./topBar";
import { UnknownView } from "./unknown";
import { Wall } from "./wall";

const VIEW_OF: Record<Route["view"], () => preact.JSX.Element> = {
  fleet: FleetView,
  flights: FlightsView,
  alerts: AlertsView,
  // Drawing takes a good part of OpenLayers, which nobody else has to wait for.
  zones: later(async () => (await import("./zones")).ZonesView),
  pipeline: PipelineView,
  batches: BatchesView,
  deadletters: DeadLettersView,
  instances: InstancesView,
  unknown: UnknownView,
};

const closeOver = () => (over.value = null);

export function Shell() {
  if (isWall) return <Wall />;
  const Current = VIEW_OF[route.value.view];
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
      <TopBar />
      <LostBanner />
      <Current />
      {over.value === "find" && <Finder close={closeOver} />}
      {over.value === "keys" && <KeysHelp close={closeOver} />}
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
