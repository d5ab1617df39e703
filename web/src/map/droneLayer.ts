// The markers: one canvas of our own inside the map, over all that the map draws, with the map's transform whenever the
// map draws, and by itself (without drawing the map again) while markers glide.
import Layer from "ol/layer/Layer";
import type { FrameState } from "ol/Map";
import type Source from "ol/source/Source";
import type { Row } from "../domain/fleet";
import { headingAt, progress, xAt, yAt } from "../domain/motion";
import { nearest } from "../domain/world";
import { GLYPH, GlyphCache } from "./glyphs";
import { drawGroup, grouped, type Group } from "./groups";
import { LABEL_HEIGHT, Occupancy, spots } from "./labels";
import { Markers, WORLD, type Marker } from "./markers";
import type { Palette } from "./palette";

const LABELS_UP_TO = 60;
// Where many are in sight, smaller markers overlap less: their size follows the room that each has, in steps.
const SMALLEST = 0.6;
const STEP = 0.1;
const REACH = 16;
// Of a marker's square, what its shape fills: names keep clear of that.
const BODY = 20;
// Gliding markers move a pixel or two a frame: 30 frames a second look the same as 60 and cost half, all day long.
const FRAME_MS = 1000 / 30;
// A fleet too large for that is drawn less often, so that the page has most of the time for itself.
const SHARE = 4;

export class DroneLayer extends Layer<Source> {
  readonly markers = new Markers();
  #singles: readonly Marker[] = [];
  #groups: readonly Group[] = [];
  /** The zoom level that the groups are for; NaN when they are to be made anew. */
  #level = Number.NaN;
  #canvas = document.createElement("canvas");
  /** Round the canvas: into a bare one, OpenLayers would draw its next layer, and we would wipe it out. */
  #element = document.createElement("div");
  #frame: FrameState | null = null;
  #glyphs: GlyphCache | null = null;
  #palette: Palette | null = null;
  #lastDraw = 0;
  /** How long a drawing takes of late, milliseconds. */
  #cost = 0;
  #request = 0;
  #selected: string | null = null;
  #hovered: string | null = null;
  #scale = 1;
  #taken = new Occupancy();
  #widths = new Map<string, number>();
  /** Called after each drawing with the number of drones in view. */
  onDrawn: (inView: number) => void = () => {};

  constructor() {
    super({});
    this.#canvas.className = "drone-canvas";
    this.#element.className = "drone-layer";
    this.#element.append(this.#canvas);
    this.render = (frame) => {
      this.#frame = frame;
      this.#draw(performance.now());
      return this.#element;
    };
    // Names are measured in the page's own letters, once those are there.
    void document.fonts.ready.then(() => this.#widths.clear());
  }

  setPalette(palette: Palette): void {
    this.#palette = palette;
    this.#glyphs = null;
    this.#wake();
  }

  highlight(selected: string | null, hovered: string | null): void {
    if (selected === this.#selected && hovered === this.#hovered) return;
    if (selected !== this.#selected) this.#level = Number.NaN;
    this.#selected = selected;
    this.#hovered = hovered;
    this.#wake();
  }

  setRows(rows: readonly Row[], length: number): void {
    this.markers.set(rows, length, performance.now());
    this.#level = Number.NaN;
    this.#wake();
  }

  /** The drone or the group drawn nearest to a pixel of the map, if one is near enough. */
  at([x = 0, y = 0]: readonly number[]): Marker | Group | null {
    let best: Marker | Group | null = null;
    let reach = REACH;
    for (const each of [...this.#groups, ...this.#singles]) {
      const away = Math.hypot(each.px - x, each.py - y);
      if (away <= reach) [best, reach] = [each, away];
    }
    return best;
  }

  #wake(): void {
    if (this.#request === 0) this.#request = requestAnimationFrame(this.#tick);
  }

  #tick = (now: number): void => {
    this.#request = 0;
    if (now - this.#lastDraw < Math.max(FRAME_MS, this.#cost * SHARE) - 4) return this.#wake();
    const began = performance.now();
    const gliding = this.#draw(now);
    this.#cost = 0.9 * this.#cost + 0.1 * (performance.now() - began);
    if (gliding) this.#wake();
  };

  /** Returns whether any marker is still on its way. */
  #draw(now: number): boolean {
    const frame = this.#frame;
    const context = this.#canvas.getContext("2d");
    const palette = this.#palette;
    if (!frame || !context || !palette) return false;
    this.#lastDraw = now;
    const ratio = frame.pixelRatio;
    const [width = 0, height = 0] = frame.size;
    this.#resize(width, height, ratio);
    if (this.#glyphs?.pixelRatio !== ratio) this.#glyphs = new GlyphCache(palette, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#regroup(frame.viewState.zoom);
    const gliding = this.#place(frame, now);
    const inSight = ({ px, py }: { px: number; py: number }) =>
      px >= -GLYPH && py >= -GLYPH && px <= width + GLYPH && py <= height + GLYPH;
    const singles = this.#singles.filter(inSight);
    const groups = this.#groups.filter(inSight);
    for (const marker of singles) {
      if (marker.id !== this.#selected) this.#stamp(context, marker, progress(marker.track, now));
    }
    for (const group of groups) drawGroup(context, group, palette);
    // Takes effect with the next drawing: a marker more or less is no reason to draw twice.
    const room = Math.sqrt((width * height) / Math.max(1, singles.length)) / GLYPH;
    this.#scale = Math.min(1, Math.max(SMALLEST, Math.ceil(room / STEP) * STEP));
    this.#taken.reset(width, height);
    const selected = singles.find((marker) => marker.id === this.#selected);
    if (selected) this.#drawSelected(context, palette, selected, now);
    this.#labels(context, palette, singles, groups);
    this.onDrawn(groups.reduce((sum, group) => sum + group.members.length, singles.length));
    return gliding;
  }

  #regroup(zoom: number): void {
    const level = Math.round(zoom);
    if (level === this.#level) return;
    this.#level = level;
    const { singles, groups } = grouped(this.markers.order, zoom, this.#selected);
    this.#singles = singles;
    this.#groups = groups;
  }

  /** Works out the pixels of all; returns whether any marker is still on its way. */
  #place(frame: FrameState, now: number): boolean {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = frame.coordinateToPixelTransform;
    const [middle = 0] = frame.viewState.center;
    let gliding = false;
    for (const marker of this.markers.order) {
      const { track } = marker;
      const part = progress(track, now);
      if (part < 1) gliding = true;
      const x = nearest(xAt(track, part), middle, WORLD);
      const y = yAt(track, part);
      marker.px = a * x + c * y + e;
      marker.py = b * x + d * y + f;
    }
    const turn = Math.hypot(a, b) * WORLD;
    for (const group of this.#groups) {
      const [first] = group.members;
      if (!first) continue;
      let [x, y] = [0, 0];
      for (const { px, py } of group.members) {
        x += nearest(px, first.px, turn);
        y += py;
      }
      group.px = x / group.members.length;
      group.py = y / group.members.length;
    }
    return gliding;
  }

  #resize(width: number, height: number, ratio: number): void {
    const canvas = this.#canvas;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width === w && canvas.height === h) return;
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }

  #stamp(context: CanvasRenderingContext2D, marker: Marker, part: number): void {
    const sprite = this.#glyphs?.get({
      connectivity: marker.connectivity,
      alert: marker.alert,
      heading: headingAt(marker.track, part),
    });
    const size = marker.id === this.#selected ? GLYPH : GLYPH * this.#scale;
    if (sprite) context.drawImage(sprite, marker.px - size / 2, marker.py - size / 2, size, size);
  }

  #drawSelected(context: CanvasRenderingContext2D, palette: Palette, marker: Marker, now: number): void {
    context.beginPath();
    context.arc(marker.px, marker.py, 19, 0, 2 * Math.PI);
    context.lineWidth = 5;
    context.strokeStyle = palette.halo;
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = palette.accent;
    context.stroke();
    this.#stamp(context, marker, progress(marker.track, now));
    this.#taken.take(marker.px - 20, marker.py - 20, 40, 40);
    this.#label(context, palette, marker, 600, true);
  }

  /** Names where there is room for them. The one under the pointer is written in any case. */
  #labels(
    context: CanvasRenderingContext2D,
    palette: Palette,
    singles: readonly Marker[],
    groups: readonly Group[],
  ): void {
    const body = BODY * this.#scale;
    for (const { px, py } of singles) this.#taken.take(px - body / 2, py - body / 2, body, body);
    for (const { px, py, radius } of groups) {
      this.#taken.take(px - radius, py - radius, 2 * radius, 2 * radius);
    }
    const all = singles.length <= LABELS_UP_TO;
    for (let at = singles.length - 1; at >= 0; at -= 1) {
      const marker = singles[at];
      if (!marker || marker.id === this.#selected) continue;
      if (marker.id === this.#hovered) this.#label(context, palette, marker, 600, true);
      else if (all) this.#label(context, palette, marker, 450, false);
    }
  }

  #label(
    context: CanvasRenderingContext2D,
    palette: Palette,
    marker: Marker,
    weight: number,
    always: boolean,
  ): void {
    context.font = `${weight} 11px "Inter Variable", sans-serif`;
    const width = this.#widthOf(context, marker.id);
    const places = spots(marker.px, marker.py, width);
    const isFree = ([left, top]: readonly [number, number]) =>
      this.#taken.isFree(left - 2, top, width + 4, LABEL_HEIGHT);
    const kept = places[marker.spot];
    if (!kept || !isFree(kept)) marker.spot = places.findIndex(isFree);
    const [left, top] = places[marker.spot] ?? (always ? (places[0] ?? [0, 0]) : [Number.NaN, 0]);
    if (Number.isNaN(left)) return;
    this.#taken.take(left - 2, top, width + 4, LABEL_HEIGHT);
    context.textAlign = "left";
    context.textBaseline = "top";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = palette.halo;
    context.strokeText(marker.id, left, top);
    context.fillStyle = palette.text;
    context.fillText(marker.id, left, top);
  }

  #widthOf(context: CanvasRenderingContext2D, text: string): number {
    let width = this.#widths.get(text);
    if (width === undefined) {
      width = context.measureText(text).width;
      this.#widths.set(text, width);
    }
    return width;
  }
}
