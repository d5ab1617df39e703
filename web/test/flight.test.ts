import assert from "node:assert/strict";
import { test } from "node:test";
import { momentOf, pointAt, pointNear, thinning, tinted, trackPoints } from "../src/domain/flight";
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

test("what is pointed at is the nearer end of the nearest stretch within reach", () => {
  const path = [
    [0, 0],
    [100, 0],
    [100, 50],
  ];
  assert.equal(pointNear(path, [40, 5], 10, 0), 0);
  assert.equal(pointNear(path, [60, 5], 10, 0), 1);
  assert.equal(pointNear(path, [104, 40], 10, 0), 2);
  assert.equal(pointNear(path, [50, 11], 10, 0), -1);
  assert.equal(pointNear(path, [-20, 0], 10, 0), -1);
  assert.equal(pointNear([[7, 7]], [8, 8], 10, 0), 0);
  assert.equal(pointNear([], [0, 0], 10, 0), -1);
});

test("where a track lies on itself, the pointer stays in the lap that is shown", () => {
  const out = Array.from({ length: 11 }, (_, at) => [at * 10, 0]);
  const path = [...out, ...out.slice(0, -1).reverse()];
  assert.equal(pointNear(path, [30, 1], 5, 2), 3);
  assert.equal(pointNear(path, [30, 1], 5, 18), 17);
});

test("a long flight is thinned out by the server", () => {
  assert.equal(thinning(600, 600), null);
  assert.equal(thinning(36_000, 36_000), 8);
  assert.equal(thinning(600, 6000), 1);
});

test("what a message leaves unsaid is as it was", () => {
  const points = trackPoints([
    { ...said(0, 0, 0), position: { longitude: 0, latitude: 0, altitude: 500, height: 4 }, groundSpeed: 2 },
    { ...said(1, 0, 0), position: {}, groundSpeed: 3 },
    said(2, 0, 1),
  ] as Message[]);
  assert.deepEqual(
    points.map(({ height, speed }) => [height, speed]),
    [
      [4, 2],
      [4, 3],
    ],
  );
});

test("a track is coloured from its lowest to its highest value, without gaps", () => {
  const points = trackPoints(
    [null, 0, 1, 50, 100, 100].map(
      (height, at) => ({ ...said(at, at, 0), position: { longitude: at, latitude: 0, height } }) as Message,
    ),
  );
  const { stretches, low, high } = tinted(points, "height");
  assert.deepEqual([low, high], [0, 100]);
  assert.deepEqual(stretches, [
    { first: 0, last: 2, band: 0 },
    { first: 2, last: 3, band: 4 },
    { first: 3, last: 5, band: 7 },
  ]);
  assert.deepEqual(tinted(points, "speed"), { stretches: [{ first: 0, last: 5, band: null }], low: null, high: null });
  assert.deepEqual(tinted([], "height").stretches, []);
});

test("a link's moment counts if it is one of the flight", () => {
  const at = Date.parse("2026-01-01T00:00:05Z");
  assert.equal(momentOf("2026-01-01T00:00:05.000Z", at - 5, at + 5), at);
  for (const text of [undefined, "", "soon", "2026-01-01T00:00:06Z"]) assert.equal(momentOf(text, at - 5, at + 5), at + 5);
});
