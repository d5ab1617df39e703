// The base map out of the server's own PMTiles file: pictures as they are, vector tiles drawn in the page's colours.
import TileLayer from "ol/layer/Tile";
import VectorTileLayer from "ol/layer/VectorTile";
import type BaseLayer from "ol/layer/Base";
import { PMTilesRasterSource, PMTilesVectorSource } from "ol-pmtiles";
import { Fill, Stroke, Style } from "ol/style";
import { PMTiles, TileType } from "pmtiles";
import type { Palette } from "./palette";

export interface PmtilesLayer {
  layer: BaseLayer;
  /** What the file wants to be named as, as plain text. */
  attribution: string | null;
  retheme: (palette: Palette) => void;
}

type Loader = Parameters<PMTilesRasterSource["setLoader"]>[0];

/** A tile that the file does not have is nothing to see: what lies under it shows. */
class RasterSource extends PMTilesRasterSource {
  override setLoader(loader: Loader): void {
    super.setLoader(async (...place: Parameters<Loader>) => {
      const data = await loader(...place);
      return data instanceof Uint8Array ? document.createElement("canvas") : data;
    });
  }
}

/** Rejects where the file cannot be read. */
export async function pmtilesLayer(path: string, palette: Palette): Promise<PmtilesLayer> {
  const url = new URL(path, location.href).href;
  const archive = new PMTiles(url);
  const { tileType } = await archive.getHeader();
  const { attribution } = ((await archive.getMetadata()) ?? {}) as { attribution?: unknown };
  const named = typeof attribution === "string" ? textOf(attribution) || null : null;
  if (tileType !== TileType.Mvt) {
    const layer = new TileLayer({ className: "base-tiles", source: new RasterSource({ url, wrapX: true }) });
    return { layer, attribution: named, retheme: () => {} };
  }
  // Colours are the page's own, so that no filter of dark pictures is wanted.
  const layer = new VectorTileLayer({
    className: "base-vector",
    source: new PMTilesVectorSource({ url }),
    declutter: true,
    style: styles(palette),
  });
  return { layer, attribution: named, retheme: (next) => layer.setStyle(styles(next)) };
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', copy: "©", nbsp: " ", "#169": "©" };

/** The words of markup (such files name their source with links). It is shown as text, so that this is about looks only. */
const textOf = (markup: string) =>
  markup
    .replace(/<[^>]*>/g, " ")
    .replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replace(/\s+/g, " ")
    .trim();

// The layers of the two schemas that such files are made with: Protomaps' and OpenMapTiles'.
const KINDS: Record<string, "land" | "water" | "line" | "road" | "border" | "area"> = {
  earth: "land",
  water: "water",
  ocean: "water",
  waterway: "line",
  physical_line: "line",
  roads: "road",
  transportation: "road",
  transit: "road",
  boundaries: "border",
  boundary: "border",
  buildings: "area",
  building: "area",
};

function styles(palette: Palette): (feature: { get(name: string): unknown }) => Style | undefined {
  const line = (color: string, width: number, lineDash?: number[]) =>
    new Style({ stroke: new Stroke({ color, width, ...(lineDash ? { lineDash } : {}) }) });
  const by = {
    land: new Style({ fill: new Fill({ color: palette.land }) }),
    water: new Style({ fill: new Fill({ color: palette.halo }), stroke: new Stroke({ color: palette.coast, width: 0.6 }) }),
    line: line(palette.coast, 0.8),
    road: line(palette.border, 1.2),
    border: line(palette.coast, 1, [5, 3]),
    area: new Style({ fill: new Fill({ color: palette.grid }) }),
  };
  const other = new Style({ stroke: new Stroke({ color: palette.grid, width: 1 }) });
  // What covers the land as a whole (woods, fields) would hide more than it tells here.
  const hidden = new Set(["landcover", "landuse", "park", "places", "place", "pois", "poi", "housenumber"]);
  return (feature) => {
    const layer = String(feature.get("layer") ?? "");
    const kind = KINDS[layer];
    return kind ? by[kind] : hidden.has(layer) ? undefined : other;
  };
}
