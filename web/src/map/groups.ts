// Markers that would lie on each other, as one disc with their number: in the colour of the worst state among them, with
// that state's sign, since colour alone says nothing to some.
import Supercluster from "supercluster";
import type { Connectivity } from "../api/shapes";
import { arc, wrapped } from "../domain/world";
import { alertSign } from "./glyphs";
import type { Marker } from "./markers";
import type { Palette } from "./palette";

export type State = Connectivity | "alert";

/** Worst first. */
export const STATES: readonly State[] = ["alert", "offline", "stale", "online"];

export const stateOf = (marker: Pick<Marker, "alert" | "connectivity">): State =>
  marker.alert ? "alert" : marker.connectivity;

export interface Group {
  members: readonly Marker[];
  counts: Readonly<Record<State, number>>;
  worst: State;
  /** Of the disc, CSS pixels. */
  radius: number;
  /** As drawn last, CSS pixels. */
  px: number;
  py: number;
}

const REACH = 28;
// A large fleet in fewer and larger groups: a hundred discs tell no more than a hundred drones.
const MANY = 200;
const WIDE_REACH = 42;
const FEWEST = 3;
const NEAREST_ZOOM = 16;

/** Who stands alone, and who is in which group, at a zoom of the map. `alone` names one that is never in a group. */
export function grouped(
  markers: readonly Marker[],
  zoom: number,
  alone: string | null,
): { singles: Marker[]; groups: Group[] } {
  const level = Math.round(zoom);
  if (level > NEAREST_ZOOM || markers.length < FEWEST) return { singles: [...markers], groups: [] };
  // One level of the index is all that is ever asked for: positions are new at every answer.
  const index = new Supercluster<{ at: number }>({
    minZoom: level,
    maxZoom: level,
    radius: markers.length > MANY ? WIDE_REACH : REACH,
    extent: 256,
    minPoints: FEWEST,
  });
  // The index knows nothing of a round world: its edge goes where no drone is near.
  const [west, east] = arc(markers.map((marker) => marker.longitude)) ?? [0, 0];
  const middle = (west + east) / 2;
  index.load(
    markers.flatMap((marker, at) =>
      marker.id === alone
        ? []
        : [
            {
              type: "Feature" as const,
              properties: { at },
              geometry: { type: "Point" as const, coordinates: [wrapped(marker.longitude - middle), marker.latitude] },
            },
          ],
    ),
  );
  const inGroup = new Set<Marker>();
  const groups: Group[] = [];
  for (const found of index.getClusters([-180, -90, 180, 90], level)) {
    if (!("cluster_id" in found.properties)) continue;
    const leaves = index.getLeaves(found.properties.cluster_id, Infinity);
    const members = leaves.flatMap(({ properties }) => markers[properties.at] ?? []);
    for (const member of members) inGroup.add(member);
    groups.push(groupOf(members));
  }
  // In the order of the markers: what matters most is drawn last.
  groups.sort((a, b) => STATES.indexOf(b.worst) - STATES.indexOf(a.worst));
  return { singles: markers.filter((marker) => !inGroup.has(marker)), groups };
}

function groupOf(members: readonly Marker[]): Group {
  const counts: Record<State, number> = { alert: 0, offline: 0, stale: 0, online: 0 };
  for (const member of members) counts[stateOf(member)] += 1;
  const worst = STATES.find((state) => counts[state] > 0) ?? "online";
  const radius = Math.min(22, 10 + 3.2 * Math.log10(members.length) ** 1.4 + 1.5);
  return { members, counts, worst, radius, px: Number.NaN, py: Number.NaN };
}

export function drawGroup(context: CanvasRenderingContext2D, group: Group, palette: Palette): void {
  const colour = palette[group.worst];
  context.save();
  context.translate(group.px, group.py);
  context.beginPath();
  context.arc(0, 0, group.radius, 0, 2 * Math.PI);
  context.fillStyle = palette.halo;
  context.fill();
  context.globalAlpha = 0.16;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
  context.font = '650 11px "Inter Variable", sans-serif';
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = palette.text;
  context.fillText(short(group.members.length), 0, 0.5);
  context.translate(group.radius * 0.74, -group.radius * 0.74);
  sign(context, group.worst, palette);
  context.restore();
}

function sign(context: CanvasRenderingContext2D, state: State, palette: Palette): void {
  if (state === "alert") return alertSign(context, palette);
  context.beginPath();
  context.arc(0, 0, 4.6, 0, 2 * Math.PI);
  context.fillStyle = palette.halo;
  context.fill();
  context.beginPath();
  context.strokeStyle = palette[state];
  context.fillStyle = palette[state];
  context.lineWidth = 1.8;
  if (state === "offline") {
    context.moveTo(-2.6, -2.6);
    context.lineTo(2.6, 2.6);
    context.moveTo(2.6, -2.6);
    context.lineTo(-2.6, 2.6);
    context.stroke();
  } else {
    context.arc(0, 0, state === "online" ? 3.4 : 2.6, 0, 2 * Math.PI);
    if (state === "online") context.fill();
    else context.stroke();
  }
}

function short(count: number): string {
  return count < 1000 ? String(count) : `${(count / 1000).toFixed(count < 9950 ? 1 : 0)}k`;
}
