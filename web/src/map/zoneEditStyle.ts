// How what is being edited looks: corners to take hold of, the one that is pointed at, and where something is wrong.
import { MultiPoint, Point, type MultiPolygon } from "ol/geom";
import { fromLonLat } from "ol/proj";
import { Circle, Fill, RegularShape, Stroke, Style, Text } from "ol/style";
import type { Place } from "../domain/world";
import type { Palette } from "./palette";

function corners(geometry: MultiPolygon): MultiPoint {
  return new MultiPoint(geometry.getCoordinates().flatMap((rings) => rings.flatMap((ring) => ring.slice(0, -1))));
}

const handle = (palette: Palette, radius: number, fill: string) =>
  new Circle({
    radius,
    fill: new Fill({ color: fill }),
    stroke: new Stroke({ color: palette.accent, width: 2 }),
  });

export function chosenStyle(palette: Palette, pointed: () => Place | null): Style[] {
  return [
    new Style({ stroke: new Stroke({ color: palette.accent, width: 2.5 }), fill: new Fill({ color: "transparent" }) }),
    new Style({
      image: handle(palette, 4.5, palette.halo),
      geometry: (feature) => corners(feature.getGeometry() as MultiPolygon),
      zIndex: 1,
    }),
    new Style({
      image: handle(palette, 7, palette.accent),
      geometry: () => {
        const place = pointed();
        return place ? new Point(fromLonLat(place)) : undefined;
      },
      zIndex: 2,
    }),
  ];
}

export function faultStyle(palette: Palette): Style[] {
  return [
    new Style({
      image: new RegularShape({
        points: 3,
        radius: 13,
        fill: new Fill({ color: palette.alert }),
        stroke: new Stroke({ color: palette.halo, width: 2.5 }),
      }),
      text: new Text({
        text: "!",
        font: '700 12px "Inter Variable", sans-serif',
        fill: new Fill({ color: palette.halo }),
        offsetY: 1.5,
      }),
    }),
  ];
}

export function sketchStyle(palette: Palette): Style {
  return new Style({
    stroke: new Stroke({ color: palette.accent, width: 2, lineDash: [6, 4] }),
    fill: new Fill({ color: `${palette.accent}22` }),
    image: handle(palette, 5, palette.halo),
  });
}
