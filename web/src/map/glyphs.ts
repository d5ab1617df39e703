// Drone markers, drawn once for each look and heading and then copied: a thousand copies a frame are cheap, a thousand
// paths are not. Connectivity shows in the shape as well as in the colour (full, hollow, crossed), an alert in a badge
// with the sign of its kind.
import type { AlertCode, Connectivity } from "../api/shapes";
import { pathOf } from "../domain/alert";
import type { Palette } from "./palette";

export const GLYPH = 34;
const BINS = 72;

export interface Look {
  connectivity: Connectivity;
  alert: AlertCode | null;
  /** Radians clockwise from north, or null when not known. */
  heading: number | null;
}

function arrow(context: CanvasRenderingContext2D): void {
  context.beginPath();
  context.moveTo(0, -9.5);
  context.lineTo(7, 8);
  context.lineTo(0, 4.4);
  context.lineTo(-7, 8);
  context.closePath();
}

function body(context: CanvasRenderingContext2D, look: Look, palette: Palette): void {
  context.lineJoin = "round";
  const colour = palette[look.connectivity];
  if (look.connectivity === "offline") {
    context.beginPath();
    context.arc(0, 0, 5.5, 0, 2 * Math.PI);
    context.fillStyle = palette.halo;
    context.fill();
    context.moveTo(-3.9, -3.9);
    context.lineTo(3.9, 3.9);
    context.moveTo(3.9, -3.9);
    context.lineTo(-3.9, 3.9);
    context.lineWidth = 1.8;
    context.strokeStyle = colour;
    context.stroke();
    return;
  }
  if (look.heading === null) {
    context.beginPath();
    context.arc(0, 0, 5.5, 0, 2 * Math.PI);
  } else {
    context.rotate(look.heading);
    arrow(context);
  }
  context.lineWidth = 3.4;
  context.strokeStyle = palette.halo;
  context.stroke();
  context.fillStyle = look.connectivity === "online" ? colour : palette.halo;
  context.fill();
  context.lineWidth = look.connectivity === "online" ? 1 : 2;
  context.strokeStyle = colour;
  context.stroke();
}

function badge(context: CanvasRenderingContext2D, code: AlertCode, palette: Palette): void {
  context.beginPath();
  context.arc(0, 0, 13, 0, 2 * Math.PI);
  context.lineWidth = 1.6;
  context.strokeStyle = palette.alert;
  context.stroke();
  context.translate(9.5, -9.5);
  kindSign(context, code, palette);
}

const SIGN = 0.62;

/** The sign of an alert's kind, as in the lists, on a disc about the context's origin. */
function kindSign(context: CanvasRenderingContext2D, code: AlertCode, palette: Palette): void {
  context.beginPath();
  context.arc(0, 0, 6.8, 0, 2 * Math.PI);
  context.lineWidth = 2;
  context.strokeStyle = palette.halo;
  context.stroke();
  context.fillStyle = palette.alert;
  context.fill();
  context.scale(SIGN, SIGN);
  context.translate(-8, -8);
  context.lineWidth = 1.3 / SIGN;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = palette.halo;
  context.stroke(new Path2D(pathOf(code)));
}

/** A triangle with a mark in it, about the context's origin. */
export function alertSign(context: CanvasRenderingContext2D, palette: Palette): void {
  context.beginPath();
  context.moveTo(0, -5.5);
  context.lineTo(6, 5);
  context.lineTo(-6, 5);
  context.closePath();
  context.lineWidth = 2;
  context.strokeStyle = palette.halo;
  context.stroke();
  context.fillStyle = palette.alert;
  context.fill();
  context.fillStyle = palette.halo;
  context.fillRect(-0.8, -2.4, 1.6, 4);
  context.fillRect(-0.8, 2.5, 1.6, 1.6);
}

/** Draws one marker centred on the context's origin, in CSS pixels. */
export function drawGlyph(context: CanvasRenderingContext2D, look: Look, palette: Palette): void {
  context.save();
  body(context, look, palette);
  context.restore();
  if (look.alert) {
    context.save();
    badge(context, look.alert, palette);
    context.restore();
  }
}

export class GlyphCache {
  #sprites = new Map<string, HTMLCanvasElement>();

  constructor(
    private readonly palette: Palette,
    readonly pixelRatio: number,
  ) {}

  get(look: Look): HTMLCanvasElement {
    const turns = look.heading === null ? 0 : look.heading / (2 * Math.PI);
    const bin = look.heading === null ? -1 : (((Math.round(turns * BINS) % BINS) + BINS) % BINS);
    const key = `${look.connectivity}${look.alert ?? ""}${bin}`;
    let sprite = this.#sprites.get(key);
    if (!sprite) {
      sprite = document.createElement("canvas");
      sprite.width = sprite.height = Math.ceil(GLYPH * this.pixelRatio);
      const context = sprite.getContext("2d");
      if (context) {
        context.scale(this.pixelRatio, this.pixelRatio);
        context.translate(GLYPH / 2, GLYPH / 2);
        const heading = bin < 0 ? null : (bin / BINS) * 2 * Math.PI;
        drawGlyph(context, { ...look, heading }, this.palette);
      }
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }
}
