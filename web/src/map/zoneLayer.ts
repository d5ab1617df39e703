// The zones on the map: their kind told by line and hatching as well as by colour.
import Feature from "ol/Feature";
import type { FeatureLike } from "ol/Feature";
import { getWidth } from "ol/extent";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import VectorSource from "ol/source/Vector";
import { Fill, Stroke, Style, Text } from "ol/style";
import type { ZoneCollection } from "../api/shapes";
import type { Place } from "../domain/world";
import { heightUnit } from "../state/display";
import type { Palette } from "./palette";
import { shapes } from "./shapes";

// A zone of fewer pixels is a speck: its name would say more than there is to see.
const NAMED_FROM = 18;
const FONT = '"Inter Variable", sans-serif';

/** Diagonal lines: a no-fly zone reads as one without its colour. */
function hatch(colour: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 10;
  const context = tile.getContext("2d");
  if (!context) return colour;
  context.strokeStyle = colour;
  context.globalAlpha = 0.38;
  context.lineWidth = 1.2;
  for (const at of [-10, 0, 10]) {
    context.moveTo(at, 10);
    context.lineTo(at + 10, 0);
  }
  context.stroke();
  return context.createPattern(tile, "repeat") ?? colour;
}

/** A zone's area and border, and its name above it: its inside belongs to the drones. */
export function zoneStyle(palette: Palette): (feature: FeatureLike, resolution: number) => Style[] {
  const noFly = new Fill({ color: hatch(palette.noFly) });
  return (feature, resolution) => {
    const forbidden = feature.get("kind") === "no_fly";
    const colour = forbidden ? palette.noFly : palette.geofence;
    const area = new Style({
      stroke: forbidden
        ? new Stroke({ color: colour, width: 1.5 })
        : new Stroke({ color: colour, width: 1.5, lineDash: [8, 5] }),
    });
    if (forbidden) area.setFill(noFly);
    const size = getWidth(feature.getGeometry()?.getExtent() ?? [0, 0, 0, 0]) / resolution;
    if (size < NAMED_FROM) return [area];
    const name = new Style({
      geometry: (zone) => topOf(zone.getGeometry()?.getExtent()),
      text: new Text({
        text: zoneLabel(feature),
        font: `600 11px ${FONT}`,
        fill: new Fill({ color: colour }),
        stroke: new Stroke({ color: palette.halo, width: 3 }),
        textBaseline: "bottom",
        offsetY: -3,
      }),
    });
    return [area, name];
  };
}

function topOf(extent: number[] | undefined): Point | undefined {
  const [west = 0, , east = 0, north = 0] = extent ?? [];
  return extent && new Point([(west + east) / 2, north]);
}

function zoneLabel(feature: FeatureLike): string {
  const name = String(feature.get("name") ?? feature.get("id") ?? "");
  const { floor, ceiling } = feature.getProperties();
  if (typeof floor !== "number" && typeof ceiling !== "number") return name;
  const { factor, name: unit } = heightUnit.peek();
  const shown = (metres: number) => String(Math.round(metres * factor * 10) / 10);
  const from = typeof floor === "number" ? shown(floor) : "0";
  return `${name} · ${from}–${typeof ceiling === "number" ? shown(ceiling) : "∞"} ${unit}`;
}

export function zoneLayer(): VectorLayer<VectorSource> {
  return new VectorLayer({ source: new VectorSource(), updateWhileAnimating: true, declutter: "zones" });
}

export function fillZones(layer: VectorLayer<VectorSource>, zones: ZoneCollection): void {
  const source = layer.getSource();
  source?.clear();
  for (const { geometry, properties } of zones.features) {
    const polygons = (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates) as Place[][][];
    for (const shape of shapes(polygons)) {
      source?.addFeature(new Feature({ ...properties, geometry: shape }));
    }
  }
}
