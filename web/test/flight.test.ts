import assert from "node:assert/strict";
import { test } from "node:test";
import { pointAt, thinning, toScale, trackPoints } from "../src/domain/flight";
import type { Message } from "../src/api/shapes";

const said = (second: number, longitude: number, latitude: number) =>
  ({
    time: new Date(1_767_225_600_000 + second * 1000).toISOString(),
    position: { longitude, latitude },
  }) as Message;

test("a track goes on beyond 180 degrees where the flight does", () => {
  const points = trackPoints([said(0, 179.9, 0), said(1, -179.9, 0), said(2, 179.8, 0)]);
  assert.deepEqual(
    points.map((point) => Math.round(point.longitude * 10) / 10),
    [179.9, 180.1, 179.8],
  );
});

test("messages without a place are no points", () => {
  assert.equal(trackPoints([{ time: "2026-01-01T00:00:00Z" } as Message, said(1, 1, 1)]).length, 1);
});

test("the point of a moment is the last one before it", () => {
  const points = trackPoints([said(0, 0, 0), said(10, 1, 0), said(20, 2, 0)]);
  const start = points[0]?.at ?? 0;
  assert.deepEqual(
    [-1, 0, 9.9, 10, 15, 99].map((second) => pointAt(points, start + second * 1000)),
    [0, 0, 0, 1, 1, 2],
  );
  assert.equal(pointAt([], 0), -1);
});

test("the track is to scale, north up, within the box", () => {
  const north = toScale(trackPoints([said(0, 0, 60), said(1, 0, 61), said(2, 2, 60)]), 400, 200, 10);
  const [a, b, c] = north as [number, number][] & { length: 3 };
  assert.ok(a && b && c);
  assert.ok(b[1] < a[1]);
  // At 60 degrees north two degrees of longitude are about as long as one of latitude.
  assert.ok(Math.abs(c[0] - a[0] - (a[1] - b[1])) < 3);
  for (const [x, y] of north) assert.ok(x >= 9.9 && x <= 390.1 && y >= 9.9 && y <= 190.1);
  assert.deepEqual(toScale([], 400, 200, 10), []);
  assert.deepEqual(toScale(trackPoints([said(0, 5, 5)]), 400, 200, 10), [[200, 100]]);
});

test("a long flight is thinned out by the server", () => {
  assert.equal(thinning(600, 600), null);
  assert.equal(thinning(36_000, 36_000), 8);
  assert.equal(thinning(600, 6000), 1);
});
