import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "ol/ol.css";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/fleet.css";
import "./styles/map.css";
import "./styles/detail.css";
import "./styles/tables.css";
import "./styles/pipeline.css";
import "./styles/flights.css";
import "./styles/narrow.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { startClock } from "./state/clock";
import { connectionState, startFleet } from "./state/fleet";
import { startPipeline } from "./state/pipeline";
import { startSettings } from "./state/settings";
import { Shell } from "./views/shell";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no #app");
// A tab that is not looked at says it too.
effect(() => {
  document.title = `${connectionState.value === "lost" ? "Connection lost · " : ""}Drone Telemetry`;
});
startClock();
startSettings();
startFleet();
startPipeline();
render(<Shell />, root);
