// A small line plot over time, drawn by uPlot in the page's colours, with its newest value in words for those who do not see it.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { broken, valueAt, type Series } from "../domain/series";
import { clock, mark, zone } from "../state/display";
import { theme } from "../state/theme";

export interface PlotProps {
  label: string;
  /** [seconds since the epoch], [value]. */
  data: Series;
  /** What is drawn is the value times this: the factor of a unit. `format` gets it so too; `limit` is given without it. */
  factor?: number;
  format: (value: number) => string;
  /** Fixed axis, or null to follow the data from 0. */
  range?: [number, number] | null;
  /** Seconds since the epoch: the time shown, also where there is no data. */
  from: number;
  to: number;
  /** Only whole numbers on the axis. */
  whole?: boolean;
  /** A value drawn as a dashed line, a limit. */
  limit?: number | null;
  height?: number;
  colour?: string;
  /** Plots with the same key share their cursor. */
  sync?: string;
  /** A moment that is marked, seconds since the epoch; the value is that of then, while nothing is pointed at. */
  at?: number;
  /** Told where the cursor is, null when it has left. */
  point?: (seconds: number | null) => void;
}

const css = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

function limitLine(limit: () => number | null | undefined): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const value = limit();
        const { min, max } = plot.scales["y"] ?? {};
        if (typeof value !== "number" || min == null || max == null) return;
        if (value < min || value > max) return;
        const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.setLineDash([4, 4]);
        ctx.strokeStyle = css("--alert");
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.restore();
      },
    },
  };
}

const scaled = (value: number | null | undefined, factor: number) =>
  typeof value === "number" ? value * factor : null;

function options(props: () => PlotProps, width: number): uPlot.Options {
  const { label, height = 96, colour = "--accent", sync, factor = 1 } = props();
  const axis: uPlot.Axis = {
    stroke: css("--muted"),
    font: '10px "Inter Variable", sans-serif',
    grid: { stroke: css("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: false, y: false },
      ...(sync ? { sync: { key: sync } } : {}),
    },
    scales: {
      x: { time: true, range: () => [props().from, props().to] },
      y: {
        range: (_plot, low, high) => {
          const { range, limit } = props();
          if (range) return range;
          const top = Math.max(high ?? 1, (limit ?? 0) * factor, 1);
          return [Math.min(0, low ?? 0), top * 1.08];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 70,
        values: (_plot, splits, _index, _space, step) => splits.map((at) => mark(at, step)),
      },
      {
        ...axis,
        size: 46,
        space: 28,
        ...(props().whole ? { incrs: WHOLE } : {}),
        values: (_plot, splits) => splits.map((value) => props().format(value)),
      },
    ],
    series: [
      {},
      {
        label,
        stroke: css(colour),
        fill: `${css(colour)}1f`,
        width: 1.5,
        spanGaps: false,
        points: { show: false },
      },
    ],
    plugins: [limitLine(() => scaled(props().limit, factor))],
  };
}

export function Plot(props: PlotProps) {
  const element = useRef<HTMLDivElement>(null);
  /** Seconds since the epoch where the cursor is. */
  const pointed = useSignal<number | null>(null);
  const plot = useRef<uPlot | null>(null);
  const placeMark = useRef<() => void>(() => {});
  const current = useRef(props);
  current.current = props;
  const { data, factor = 1 } = props;
  const moment = pointed.value ?? props.at ?? null;
  const value = moment === null ? data[1].at(-1) : valueAt(data, moment);
  const readout = typeof value === "number" ? props.format(value * factor) : "–";
  const drawn = useMemo(() => broken(data, factor), [data, factor]);
  const look = `${theme.value} ${zone.value} ${factor}`;

  useEffect(() => {
    const target = element.current;
    if (!target) return undefined;
    const made = new uPlot(
      options(() => current.current, target.clientWidth),
      drawn,
      target,
    );
    plot.current = made;
    made.hooks.setCursor = [
      (self) => {
        const left = self.cursor.left ?? -1;
        pointed.value = left < 0 ? null : self.posToVal(left, "x");
        current.current.point?.(pointed.value);
      },
    ];
    const line = document.createElement("div");
    line.className = "plot-at";
    made.over.append(line);
    placeMark.current = () => {
      const { at, from, to } = current.current;
      line.hidden = at === undefined || at < from || at > to;
      if (at !== undefined) line.style.transform = `translateX(${made.valToPos(at, "x")}px)`;
    };
    (made.hooks.draw ??= []).push(placeMark.current);
    const observer = new ResizeObserver(() => {
      if (target.clientWidth > 0) {
        made.setSize({ width: target.clientWidth, height: current.current.height ?? 96 });
      }
    });
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [look]);

  useEffect(() => {
    plot.current?.setData(drawn);
  }, [drawn, props.from, props.to, props.limit]);

  useEffect(() => placeMark.current(), [props.at, look]);

  return (
    <figure class="plot">
      <figcaption>
        <span>{props.label}</span>
        <span class={`plot-value${pointed.value === null ? "" : " at-cursor"}`}>
          {pointed.value !== null && (
            <span class="plot-time">{clock(new Date(pointed.value * 1000).toISOString())}</span>
          )}{" "}
          {readout}
        </span>
      </figcaption>
      <div class="plot-canvas" ref={element} aria-hidden="true" />
    </figure>
  );
}
