// Polygons across ±180° as the map draws them.
import { MultiPolygon, Polygon } from "ol/geom";
import { nearest, unrolled, type Place } from "../domain/world";
import { WORLD } from "./markers";

/** The polygons in map units; what goes beyond ±180° a second time on its other side, where it is looked at from there. */
export function shapes(polygons: readonly Place[][][]): MultiPolygon[] {
  const whole = new MultiPolygon(polygons.map(asOne)).transform("EPSG:4326", "EPSG:3857") as MultiPolygon;
  const [west = 0, , east = 0] = whole.getExtent();
  const turns = [east > WORLD / 2 + 1 ? -WORLD : 0, west < -WORLD / 2 - 1 ? WORLD : 0].filter(Boolean);
  return [
    whole,
    ...turns.map((turn) => {
      const copy = whole.clone();
      copy.translate(turn, 0);
      return copy;
    }),
  ];
}

/** A polygon's rings without a jump at ±180°, its holes beside its outside. */
export function asOne(rings: readonly Place[][]): Place[][] {
  const [outside = [], ...holes] = rings.map((ring) => unrolled(ring.map(([x, y]) => [x, y])));
  const middle = new Polygon([outside]).getExtent();
  const centre = ((middle[0] ?? 0) + (middle[2] ?? 0)) / 2;
  return [
    outside,
    ...holes.map((hole) => {
      const start = hole[0]?.[0] ?? 0;
      const turn = nearest(start, centre) - start;
      return hole.map(([x, y]): Place => [x + turn, y]);
    }),
  ];
}
