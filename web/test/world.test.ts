import assert from "node:assert/strict";
import { test } from "node:test";
import { arc, nearest, pieces, unrolled, wrapped } from "../src/domain/world";

test("the arc that holds all is the short way round", () => {
  assert.deepEqual(arc([10, 20, 15]), [10, 20]);
  assert.deepEqual(arc([179, -179]), [179, 181]);
  assert.deepEqual(arc([-170, 175, 178]), [175, 190]);
  assert.deepEqual(arc([-120, 0, 120]), [-120, 120]);
  assert.deepEqual(arc([5]), [5, 5]);
  assert.deepEqual(arc([190, 170]), [170, 190]);
  assert.equal(arc([]), null);
});

test("a place is drawn in the world that is looked at", () => {
  assert.equal(nearest(-179, 181), 181);
  assert.equal(nearest(-179, -170), -179);
  assert.equal(nearest(179, -185), -181);
  assert.equal(nearest(3, 0, 4), -1);
});

test("a longitude beyond the line is the one on its other side", () => {
  assert.deepEqual([-180, 180, 181, -181, 540, 12].map(wrapped), [-180, 180, -179, 179, -180, 12]);
});

test("a path is cut at the line, both pieces having the crossing", () => {
  assert.deepEqual(
    pieces([
      [179, 0],
      [-179, 2],
      [-178, 2],
      [179, 5],
    ]),
    [
      [
        [179, 0],
        [180, 1],
      ],
      [
        [-180, 1],
        [-179, 2],
        [-178, 2],
        [-180, 4],
      ],
      [
        [180, 4],
        [179, 5],
      ],
    ],
  );
  // On the line itself, east and west are the same place.
  assert.deepEqual(
    pieces([
      [180, 1],
      [-180, 2],
      [-179, 2],
    ]),
    [
      [
        [180, 1],
        [180, 2],
      ],
      [
        [-180, 2],
        [-180, 2],
        [-179, 2],
      ],
    ],
  );
  assert.deepEqual(pieces([[1, 1]]), [[[1, 1]]]);
  assert.deepEqual(pieces([]), []);
});

test("a ring across the line goes on beyond it, one round the world is as written", () => {
  assert.deepEqual(
    unrolled([
      [179, 0],
      [-179, 0],
      [-179, 1],
      [179, 0],
    ]),
    [
      [179, 0],
      [181, 0],
      [181, 1],
      [179, 0],
    ],
  );
  const round = [
    [-180, 80],
    [180, 80],
    [180, 90],
    [-180, 80],
  ] as [number, number][];
  assert.deepEqual(unrolled(round), round);
});
