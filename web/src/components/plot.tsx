// A small line plot over time, drawn by uPlot in the page's colours, with its newest value in words for those who do not see it.
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
  /** A value drawn as a dashed line, a limit. */
  limit?: number | null;
  height?: number;
  colour?: string;
  /** Plots with the same key share their cursor. */
  sync?: string;
}

const css = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

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
      { ...axis, size: 22, space: 70 },
      {
        ...axis,
        size: 46,
        space: 28,
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
  const readout = useRef<HTMLSpanElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef(props);
  current.current = props;
  const last = props.data[1].at(-1);
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
    made.over.addEventListener("mouseleave", () => readout.current?.classList.remove("at-cursor"));
    made.hooks.setCursor = [
      (self) => {
        const at = self.cursor.idx;
        const value = at == null ? null : self.data[1]?.[at];
        const { format, data } = current.current;
        const newest = data[1].at(-1);
        const text = value ?? newest;
        if (readout.current) {
          readout.current.textContent = text == null ? "–" : format(text);
          readout.current.classList.toggle("at-cursor", value != null && at !== self.data[0].length - 1);
        }
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
        <span class="plot-value" ref={readout}>
          {last === undefined ? "–" : props.format(last)}
        </span>
      </figcaption>
      <div class="plot-canvas" ref={element} aria-hidden="true" />
    </figure>
  );
}
