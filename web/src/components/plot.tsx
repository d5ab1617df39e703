// A small line plot over time, drawn by uPlot in the page's colours, with its newest value in words for those who do not see it.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../state/theme";

export interface PlotProps {
  label: string;
  /** [seconds since the epoch], [value]. */
  data: [number[], number[]];
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
}

const css = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const two = (value: number) => String(value).padStart(2, "0");
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** "14:05", with seconds where the marks are closer than a minute, the day where they are farther than one. */
function clockTime(seconds: number, step: number): string {
  const at = new Date(seconds * 1000);
  if (step >= 86_400) return `${at.getMonth() + 1}-${two(at.getDate())}`;
  const text = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return step < 60 ? `${text}:${two(at.getSeconds())}` : text;
}

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

function options(props: () => PlotProps, width: number): uPlot.Options {
  const { label, height = 96, colour = "--accent", sync } = props();
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
          const top = Math.max(high ?? 1, limit ?? 0, 1);
          return [Math.min(0, low ?? 0), top * 1.08];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 22,
        space: 70,
        values: (_plot, splits, _index, _space, step) => splits.map((at) => clockTime(at, step)),
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
        spanGaps: true,
        points: { show: false },
      },
    ],
    plugins: [limitLine(() => props().limit)],
  };
}

export function Plot(props: PlotProps) {
  const element = useRef<HTMLDivElement>(null);
  const pointed = useSignal<number | null>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef(props);
  current.current = props;
  const readout = pointed.value ?? props.data[1].at(-1);
  const shownTheme = theme.value;

  useEffect(() => {
    const target = element.current;
    if (!target) return undefined;
    const made = new uPlot(
      options(() => current.current, target.clientWidth),
      current.current.data,
      target,
    );
    plot.current = made;
    made.hooks.setCursor = [
      (self) => {
        const at = self.cursor.idx;
        pointed.value = at == null || (self.cursor.left ?? -1) < 0 ? null : (self.data[1]?.[at] ?? null);
      },
    ];
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
  }, [shownTheme]);

  useEffect(() => {
    plot.current?.setData(props.data);
  }, [props.data, props.from, props.to, props.limit]);

  return (
    <figure class="plot">
      <figcaption>
        <span>{props.label}</span>
        <span class={`plot-value${pointed.value === null ? "" : " at-cursor"}`}>
          {readout === undefined ? "–" : props.format(readout)}
        </span>
      </figcaption>
      <div class="plot-canvas" ref={element} aria-hidden="true" />
    </figure>
  );
}
