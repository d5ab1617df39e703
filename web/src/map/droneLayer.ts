// The markers: one canvas of our own inside the map, drawn with the map's transform whenever the map draws, and by itself
// (without drawing the map again) while markers glide.
import Layer from "ol/layer/Layer";
import type { FrameState } from "ol/Map";
import { fromLonLat } from "ol/proj";
import type Source from "ol/source/Source";
import type { Connectivity } from "../api/shapes";
import type { Row } from "../domain/fleet";
import { glide, headingAt, progress, standing, xAt, yAt, type Track } from "../domain/motion";
import { GLYPH, GlyphCache } from "./glyphs";
import type { Palette } from "./palette";

interface Marker {
  id: string;
  connectivity: Connectivity;
  alert: boolean;
  track: Track;
  /** As drawn last, CSS pixels. */
  px: number;
  py: number;
}

const LABELS_UP_TO = 60;
const LABEL_WIDTH = 64;
// Where many are in sight, smaller markers overlap less: their size follows the room that each has, in steps.
const SMALLEST = 0.6;
const STEP = 0.1;
const REACH = 16;
// Gliding markers move a pixel or two a frame: 30 frames a second look the same as 60 and cost half, all day long.
const FRAME_MS = 1000 / 30;
// A fleet too large for that is drawn less often, so that the page has most of the time for itself.
const SHARE = 4;
const RANK: Record<Connectivity, number> = { offline: 0, stale: 1, online: 2 };

export class DroneLayer extends Layer<Source> {
  #markers = new Map<string, Marker>();
  #order: Marker[] = [];
  #canvas = document.createElement("canvas");
  #frame: FrameState | null = null;
  #glyphs: GlyphCache | null = null;
  #palette: Palette;
  #lastDraw = 0;
  /** How long a drawing takes of late, milliseconds. */
  #cost = 0;
  #request = 0;
  #selected: string | null = null;
  #hovered: string | null = null;
  #scale = 1;
  /** Called after each drawing with the number of markers in view. */
  onDrawn: (inView: number) => void = () => {};

  constructor(palette: Palette) {
    super({});
    this.#palette = palette;
    this.#canvas.className = "drone-canvas";
    this.render = (frame) => {
      this.#frame = frame;
      this.#draw(performance.now());
      return this.#canvas;
    };
  }

  setPalette(palette: Palette): void {
    this.#palette = palette;
    this.#glyphs = null;
    this.#wake();
  }

  highlight(selected: string | null, hovered: string | null): void {
    if (selected === this.#selected && hovered === this.#hovered) return;
    this.#selected = selected;
    this.#hovered = hovered;
    this.#wake();
  }

  /** Takes over the fleet; what moved glides for `length` milliseconds (0: jumps). */
  setRows(rows: readonly Row[], length: number): void {
    const now = performance.now();
    const before = this.#markers;
    this.#markers = new Map();
    for (const { drone, connectivity } of rows) {
      const { latitude, longitude } = drone.position ?? {};
      if (typeof latitude !== "number" || typeof longitude !== "number") continue;
      const [x = 0, y = 0] = fromLonLat([longitude, latitude]);
      const heading = drone.heading === null ? null : (drone.heading * Math.PI) / 180;
      const old = before.get(drone.id);
      let track = old?.track ?? standing(x, y, heading);
      if (track.toX !== x || track.toY !== y || track.toHeading !== heading) {
        track = glide(track, x, y, heading, now, length);
      }
      this.#markers.set(drone.id, {
        id: drone.id,
        connectivity,
        alert: drone.alerts.length > 0,
        track,
        px: old?.px ?? Number.NaN,
        py: old?.py ?? Number.NaN,
      });
    }
    const rank = (marker: Marker) => RANK[marker.connectivity] + (marker.alert ? 3 : 0);
    this.#order = [...this.#markers.values()].sort((a, b) => rank(a) - rank(b));
    this.#wake();
  }

  /** Where a drone is drawn now, in map units. */
  placeOf(id: string): [number, number] | null {
    const track = this.#markers.get(id)?.track;
    if (!track) return null;
    const part = progress(track, performance.now());
    return [xAt(track, part), yAt(track, part)];
  }

  /** The drone drawn nearest to a pixel of the map, if one is near enough. */
  at([x, y]: readonly number[]): string | null {
    let best: string | null = null;
    let reach = REACH;
    for (const marker of this.#order) {
      const away = Math.hypot(marker.px - (x ?? 0), marker.py - (y ?? 0));
      if (away <= reach) [best, reach] = [marker.id, away];
    }
    return best;
  }

  /** West, south, east, north of all markers, in map units; null when there are none. */
  bounds(): [number, number, number, number] | null {
    if (this.#order.length === 0) return null;
    const all: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { track } of this.#order) {
      all[0] = Math.min(all[0], track.toX);
      all[1] = Math.min(all[1], track.toY);
      all[2] = Math.max(all[2], track.toX);
      all[3] = Math.max(all[3], track.toY);
    }
    return all;
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
    if (!frame || !context) return false;
    this.#lastDraw = now;
    const ratio = frame.pixelRatio;
    const [width = 0, height = 0] = frame.size;
    this.#resize(width, height, ratio);
    if (this.#glyphs?.pixelRatio !== ratio) this.#glyphs = new GlyphCache(this.#palette, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = frame.coordinateToPixelTransform;
    const inView: Marker[] = [];
    let gliding = false;
    for (const marker of this.#order) {
      const { track } = marker;
      const part = progress(track, now);
      if (part < 1) gliding = true;
      const x = xAt(track, part);
      const y = yAt(track, part);
      marker.px = a * x + c * y + e;
      marker.py = b * x + d * y + f;
      if (marker.px < -GLYPH || marker.py < -GLYPH) continue;
      if (marker.px > width + GLYPH || marker.py > height + GLYPH) continue;
      inView.push(marker);
      if (marker.id !== this.#selected) this.#stamp(context, marker, part);
    }
    // Takes effect with the next drawing: a marker more or less is no reason to draw twice.
    const room = Math.sqrt((width * height) / Math.max(1, inView.length)) / GLYPH;
    this.#scale = Math.min(1, Math.max(SMALLEST, Math.ceil(room / STEP) * STEP));
    this.#labels(context, inView);
    const selected = this.#selected === null ? undefined : this.#markers.get(this.#selected);
    if (selected) this.#drawSelected(context, selected, now);
    this.onDrawn(inView.length);
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

  #drawSelected(context: CanvasRenderingContext2D, marker: Marker, now: number): void {
    context.beginPath();
    context.arc(marker.px, marker.py, 19, 0, 2 * Math.PI);
    context.lineWidth = 5;
    context.strokeStyle = this.#palette.halo;
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = this.#palette.accent;
    context.stroke();
    this.#stamp(context, marker, progress(marker.track, now));
    this.#label(context, marker, 600);
  }

  /** Names where there is room for them: none is written over another. */
  #labels(context: CanvasRenderingContext2D, inView: readonly Marker[]): void {
    const taken: [number, number][] = [];
    for (const marker of [...inView].reverse()) {
      if (marker.id === this.#selected) continue;
      const { px, py } = marker;
      const free = !taken.some(([x, y]) => Math.abs(x - px) < LABEL_WIDTH && Math.abs(y - py) < 14);
      if ((inView.length <= LABELS_UP_TO && free) || marker.id === this.#hovered) {
        taken.push([px, py]);
        this.#label(context, marker, 450);
      }
    }
  }

  #label(context: CanvasRenderingContext2D, marker: Marker, weight: number): void {
    context.font = `${weight} 11px "Inter Variable", sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = this.#palette.halo;
    context.strokeText(marker.id, marker.px, marker.py + 16);
    context.fillStyle = this.#palette.text;
    context.fillText(marker.id, marker.px, marker.py + 16);
  }
}
