// Longitudes on a round world: what lies close together across ±180° is close together.

export type Place = [longitude: number, latitude: number];

/** `longitude` as many turns round the world as bring it nearest to `to`. */
export function nearest(longitude: number, to: number, turn = 360): number {
  return longitude + Math.round((to - longitude) / turn) * turn;
}

/** The shortest arc that holds them all, west to east; east is beyond 180 where the arc crosses it. Null for none. */
export function arc(longitudes: readonly number[]): [west: number, east: number] | null {
  const sorted = longitudes.map((longitude) => wrapped(longitude)).sort((a, b) => a - b);
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return null;
  // The arc is the world without its widest gap.
  let [west, east, widest] = [first, last, first + 360 - last];
  for (let at = 1; at < sorted.length; at += 1) {
    const [before, after] = [sorted[at - 1] ?? 0, sorted[at] ?? 0];
    if (after - before > widest) [west, east, widest] = [after, before + 360, after - before];
  }
  return [west, east];
}

/** From -180 up to 180. */
export function wrapped(longitude: number): number {
  if (longitude >= -180 && longitude <= 180) return longitude;
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}

/** A path in pieces that each stay within -180..180: where it crosses the line, both pieces have the crossing. */
export function pieces(path: readonly Place[]): Place[][] {
  const [first] = path;
  if (!first) return [];
  let piece: Place[] = [first];
  const all = [piece];
  for (let at = 1; at < path.length; at += 1) {
    const [from, to] = [path[at - 1] as Place, path[at] as Place];
    const beside = nearest(to[0], from[0]);
    if (beside !== to[0]) {
      const line = beside > 0 ? 180 : -180;
      const part = beside === from[0] ? 1 : (line - from[0]) / (beside - from[0]);
      const latitude = from[1] + (to[1] - from[1]) * part;
      piece.push([line, latitude]);
      piece = [[-line, latitude]];
      all.push(piece);
    }
    piece.push(to);
  }
  return all;
}

/**
 * Longitudes that go on beyond ±180 where the ring does, so that no edge spans more than 180°. An edge from -180 to 180
 * exactly goes round the world: it is meant as it is written (as the server takes it).
 */
export function unrolled(ring: readonly Place[]): Place[] {
  let around = 0;
  return ring.map(([longitude, latitude], at) => {
    const step = longitude - (ring[at - 1]?.[0] ?? longitude);
    if (Math.abs(step) > 180 && Math.abs(step) < 360) around += step > 0 ? -360 : 360;
    return [longitude + around, latitude];
  });
}
