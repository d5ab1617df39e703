// What lies under the markers: base tiles when the operator of the server set them, a graticule, the track.
import Feature from "ol/Feature";
import MultiLineString from "ol/geom/MultiLineString";
import Point from "ol/geom/Point";
import Graticule from "ol/layer/Graticule";
import TileLayer from "ol/layer/Tile";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import XYZ from "ol/source/XYZ";
import { Circle, Fill, Stroke, Style, Text } from "ol/style";
import { pieces, wrapped, type Place } from "../domain/world";
import type { Palette } from "./palette";

const FONT = '"Inter Variable", sans-serif';

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

/** Cut at ±180°, so that every part is drawn in whatever world is looked at. */
export function lineOf(path: readonly Place[]): MultiLineString {
  return new MultiLineString(pieces(path).map((piece) => piece.map((place) => fromLonLat(place))));
}

export function fillTrack(layer: VectorLayer<VectorSource>, points: Place[]): void {
  const source = layer.getSource();
  source?.clear();
  const [first] = points;
  if (!first || points.length < 2) return;
  source?.addFeature(new Feature(lineOf(points)));
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
  const within = wrapped(value);
  const text = `${Math.abs(within).toFixed(4).replace(/\.?0+$/, "")}°`;
  return within === 0 || Math.abs(within) === 180 ? text : `${text} ${within < 0 ? minus : plus}`;
}

export function tileLayer(url: string): TileLayer<XYZ> {
  return new TileLayer({ className: "base-tiles", source: new XYZ({ url, crossOrigin: "anonymous" }) });
}
