// Movement between two answers: a marker glides from where it is drawn to where the drone was last heard of, in about
// the time between two answers. It never runs ahead of what is known.

export interface Track {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
  /** Radians clockwise from north; null when unknown. */
  fromHeading: number | null;
  toHeading: number | null;
  start: number;
  length: number;
}

// Farther than this (map units, about metres) is a jump, not a movement.
const LONGEST_GLIDE = 5_000;

export function standing(x: number, y: number, heading: number | null): Track {
  return {
    fromX: x,
    fromY: y,
    toX: x,
    toY: y,
    fromHeading: heading,
    toHeading: heading,
    start: 0,
    length: 0,
  };
}

/** 0 at the start of the glide, 1 at its end and after. */
export function progress(track: Track, now: number): number {
  if (track.length <= 0) return 1;
  return Math.min(1, Math.max(0, (now - track.start) / track.length));
}

export const xAt = (track: Track, part: number) => track.fromX + (track.toX - track.fromX) * part;
export const yAt = (track: Track, part: number) => track.fromY + (track.toY - track.fromY) * part;

/** Turns the short way round. */
export function headingAt(track: Track, part: number): number | null {
  const { fromHeading, toHeading } = track;
  if (toHeading === null || fromHeading === null) return toHeading;
  const turn = ((toHeading - fromHeading + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
  return fromHeading + turn * part;
}

/** The glide from where `track` is at `now` to a new place. */
export function glide(
  track: Track,
  x: number,
  y: number,
  heading: number | null,
  now: number,
  length: number,
): Track {
  const part = progress(track, now);
  const fromX = xAt(track, part);
  const fromY = yAt(track, part);
  if (length <= 0 || Math.hypot(x - fromX, y - fromY) > LONGEST_GLIDE) {
    return standing(x, y, heading);
  }
  return {
    fromX,
    fromY,
    toX: x,
    toY: y,
    fromHeading: headingAt(track, part),
    toHeading: heading,
    start: now,
    length,
  };
}
