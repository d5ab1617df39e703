// What lies under the markers: base tiles when the operator of the server set them, a graticule, zones, the track.
import Feature from "ol/Feature";
import GeoJSON from "ol/format/GeoJSON";
import LineString from "ol/geom/LineString";
import Point from "ol/geom/Point";
import Graticule from "ol/layer/Graticule";
import TileLayer from "ol/layer/Tile";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import XYZ from "ol/source/XYZ";
import { Circle, Fill, Stroke, Style, Text } from "ol/style";
import type { FeatureLike } from "ol/Feature";
import type { ZoneCollection } from "../api/shapes";
import type { Palette } from "./palette";

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
export function zoneStyle(palette: Palette): (feature: FeatureLike) => Style[] {
  const noFly = new Fill({ color: hatch(palette.noFly) });
  return (feature) => {
    const forbidden = feature.get("kind") === "no_fly";
    const colour = forbidden ? palette.noFly : palette.geofence;
    const area = new Style({
      stroke: forbidden
        ? new Stroke({ color: colour, width: 1.5 })
        : new Stroke({ color: colour, width: 1.5, lineDash: [8, 5] }),
    });
    if (forbidden) area.setFill(noFly);
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
  const from = typeof floor === "number" ? `${floor}` : "0";
  return `${name} · ${from}–${typeof ceiling === "number" ? ceiling : "∞"} m`;
}

export function zoneLayer(): VectorLayer<VectorSource> {
  return new VectorLayer({ source: new VectorSource(), updateWhileAnimating: true });
}

export function fillZones(layer: VectorLayer<VectorSource>, zones: ZoneCollection): void {
  const source = layer.getSource();
  source?.clear();
  source?.addFeatures(
    new GeoJSON().readFeatures(zones, { featureProjection: "EPSG:3857" }),
  );
}

export function trackLayer(): VectorLayer<VectorSource> {
  return new VectorLayer({ source: new VectorSource(), updateWhileAnimating: true });
}

export function trackStyle(palette: Palette): Style[] {
  return [
    new Style({ stroke: new Stroke({ color: palette.halo, width: 5 }) }),
    new Style({
      stroke: new Stroke({ color: palette.accent, width: 2 }),
      image: new Circle({
        radius: 4,
        fill: new Fill({ color: palette.halo }),
        stroke: new Stroke({ color: palette.accent, width: 2 }),
      }),
    }),
  ];
}

export function fillTrack(layer: VectorLayer<VectorSource>, points: [number, number][]): void {
  const source = layer.getSource();
  source?.clear();
  const [first] = points;
  if (!first || points.length < 2) return;
  source?.addFeature(new Feature(new LineString(points.map((point) => fromLonLat(point)))));
  source?.addFeature(new Feature(new Point(fromLonLat(first))));
}

export function graticule(palette: Palette): Graticule {
  const label = () =>
    new Text({
      font: `10px ${FONT}`,
      fill: new Fill({ color: palette.muted }),
      stroke: new Stroke({ color: palette.halo, width: 3 }),
    });
  const longitude = label();
  longitude.setTextBaseline("top");
  const latitude = label();
  latitude.setTextAlign("start");
  return new Graticule({
    strokeStyle: new Stroke({ color: palette.grid, width: 1 }),
    showLabels: true,
    wrapX: false,
    lonLabelPosition: 0.992,
    latLabelPosition: 0.008,
    lonLabelStyle: longitude,
    latLabelStyle: latitude,
    lonLabelFormatter: (value) => degrees(value, "E", "W"),
    latLabelFormatter: (value) => degrees(value, "N", "S"),
    intervals: [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
  });
}

function degrees(value: number, plus: string, minus: string): string {
  const text = Math.abs(value).toFixed(4).replace(/\.?0+$/, "");
  return `${text}° ${value < 0 ? minus : plus}`;
}

export function tileLayer(url: string, attribution: string | null): TileLayer<XYZ> {
  return new TileLayer({
    className: "base-tiles",
    source: new XYZ({
      url,
      crossOrigin: "anonymous",
      ...(attribution ? { attributions: [attribution] } : {}),
    }),
  });
}
