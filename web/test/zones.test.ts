import assert from "node:assert/strict";
import { test } from "node:test";
import type { ZoneCollection } from "../src/api/shapes";
import { Undo } from "../src/domain/undo";
import type { Place } from "../src/domain/world";
import { check, checkShape, faultsOf } from "../src/domain/zoneCheck";
import { differences, freeId, merged, readZones, writeZones, type Zone } from "../src/domain/zones";

const SQUARE: Place[] = [
  [0, 0],
  [2, 0],
  [2, 2],
  [0, 2],
];

const zone = (id: string, part: Partial<Zone> = {}): Zone => ({
  key: id,
  id,
  name: id,
  kind: "no_fly",
  floor: "",
  ceiling: "",
  polygons: [[SQUARE]],
  source: null,
  ...part,
});

const document = (...features: object[]) => ({ type: "FeatureCollection", features }) as unknown as ZoneCollection;

const feature = (id: string, more: object = {}, geometry: object = {}) => ({
  type: "Feature",
  properties: { id, name: id, kind: "no_fly", floor: 10, ceiling: null, ...more },
  geometry: { type: "Polygon", coordinates: [[...SQUARE, SQUARE[0]]], ...geometry },
});

test("what is not edited goes back as it came", () => {
  const heights = [[...SQUARE, SQUARE[0] as Place].map(([x, y]) => [x, y, 30])];
  const given = document(feature("a", { colour: "red" }, { coordinates: heights }));
  assert.deepEqual(writeZones(readZones(given)), given);
});

test("what is edited is written closed, heights as numbers, longitudes within 180 degrees", () => {
  const [read] = readZones(document(feature("a", { colour: "red" })));
  assert.ok(read);
  const moved: Place[] = [
    [179, 0],
    [181.5, 0],
    [181, 1],
  ];
  const [written] = writeZones([{ ...read, polygons: [[moved]], floor: "", ceiling: "1,5", name: "" }]).features;
  assert.deepEqual(written?.properties, { id: "a", name: "a", kind: "no_fly", floor: null, ceiling: 1.5, colour: "red" });
  assert.deepEqual(written?.geometry.coordinates, [
    [
      [179, 0],
      [-178.5, 0],
      [-179, 1],
      [179, 0],
    ],
  ]);
});

const details = (polygons: Zone["polygons"]) => checkShape(polygons).map(({ detail }) => detail);

test("a border that crosses itself is told with the place", () => {
  const [crossing] = checkShape([
    [
      [
        [0, 0],
        [2, 2],
        [2, 0],
        [0, 2],
      ],
    ],
  ]);
  assert.deepEqual(crossing?.at, [1, 1]);
  assert.equal(crossing?.ring, 0);
  assert.match(crossing?.detail ?? "", /crosses itself: edges 1–2 and 3–4/);
  assert.deepEqual(details([[SQUARE]]), []);
});

test("touching itself, folding back and lying in a line count too", () => {
  const touches: Place[] = [
    [0, 0],
    [4, 0],
    [4, 4],
    [2, 0],
    [0, 4],
  ];
  assert.match(details([[touches]])[0] ?? "", /crosses itself/);
  const spike: Place[] = [
    [0, 0],
    [4, 0],
    [2, 0],
    [2, 2],
  ];
  assert.match(details([[spike]])[0] ?? "", /folds back on itself at corner 2/);
  const line: Place[] = [
    [0, 0],
    [1, 0],
    [2, 0],
  ];
  assert.notDeepEqual(details([[line]]), []);
  // A corner that is there twice is no fault: the server takes it.
  assert.deepEqual(details([[[SQUARE[0], ...SQUARE, SQUARE[3], SQUARE[0]] as Place[]]]), []);
});

test("a ring across the date line is no crossing", () => {
  const fiji: Place[] = [
    [179, -16],
    [-179, -16],
    [-179, -18],
    [179, -18],
  ];
  assert.deepEqual(details([[fiji]]), []);
});

test("too few corners, places beyond the world, and what is no number", () => {
  assert.deepEqual(details([[SQUARE.slice(0, 2)]]), ["2 of at least three corners."]);
  assert.match(details([[[...SQUARE, [0, 91]]]])[0] ?? "", /Corner 5 is outside/);
  assert.match(details([[[...SQUARE, [Number.NaN, 1]]]])[0] ?? "", /Corner 5 needs two numbers/);
});

test("a hole stays inside; rings are numbered on through the polygons", () => {
  const hole = (shift: number): Place[] => SQUARE.map(([x, y]) => [x / 4 + shift, y / 4 + 0.5]);
  assert.deepEqual(details([[SQUARE, hole(0.5)]]), []);
  assert.match(details([[SQUARE, hole(1.8)]])[0] ?? "", /hole crosses/);
  const outside = checkShape([[SQUARE], [SQUARE, hole(5)]]);
  assert.deepEqual(
    outside.map(({ ring, detail }) => [ring, detail]),
    [[2, "The hole lies outside of the zone."]],
  );
});

test("ids, kinds and heights are checked at their fields", () => {
  const found = check([
    zone("a", { floor: "20", ceiling: "10" }),
    zone("a", { key: "b", kind: "lake" }),
    zone("", { key: "c", floor: "low", ceiling: "1e999" }),
  ]);
  assert.deepEqual(
    found.map(({ key, field }) => [key, field]),
    [
      ["a", "floor"],
      ["b", "id"],
      ["b", "kind"],
      ["c", "id"],
      ["c", "floor"],
      ["c", "ceiling"],
    ],
  );
  assert.match(found[0]?.detail ?? "", /20 m, is above the ceiling, 10 m/);
});

test("the server's errors are told at the zone and the field that they are about", () => {
  const errors = [
    { feature: 1, id: "b", ring: 0, detail: "geometry.coordinates: the ring crosses itself (Self-intersection[1.5 -2])" },
    { feature: 0, id: "a", ring: null, detail: "properties.floor: 20 is above the ceiling, 10" },
    { feature: null, id: null, ring: null, detail: "must be a GeoJSON FeatureCollection" },
    "nonsense",
  ];
  assert.deepEqual(
    faultsOf(errors, [zone("a"), zone("b", { key: "k" })]).map(({ key, field, ring, at }) => [key, field, ring, at]),
    [
      ["k", "shape", 0, [1.5, -2]],
      ["a", "floor", null, null],
      [null, "shape", null, null],
    ],
  );
});

test("two people's changes come together; where both changed a zone, mine stays", () => {
  const base = [zone("a"), zone("b"), zone("c"), zone("d")];
  const theirs = [zone("a", { ceiling: "9" }), zone("b", { ceiling: "9" }), zone("d"), zone("e")];
  const mine = [zone("a", { ceiling: "1" }), zone("b"), zone("c", { floor: "2" }), zone("f")];
  assert.deepEqual(differences(base, theirs), { added: ["e"], changed: ["a", "b"], removed: ["c"] });
  assert.deepEqual(
    merged(base, theirs, mine).map(({ id, floor, ceiling }) => [id, floor, ceiling]),
    [
      ["a", "", "1"],
      ["b", "", "9"],
      ["e", "", ""],
      ["c", "2", ""],
      ["f", "", ""],
    ],
  );
});

test("a new zone has an id that is free", () => {
  assert.equal(freeId([]), "zone-1");
  assert.equal(freeId([zone("zone-1"), zone("x", { key: "zone-2" })]), "zone-3");
});

test("steps go back and forth; typing in one field is one step", () => {
  const undo = new Undo("");
  undo.push("a", "name");
  undo.push("ab", "name");
  undo.push("ab1", "floor");
  assert.equal(undo.undo(), "ab");
  assert.equal(undo.undo(), "");
  assert.equal(undo.canUndo, false);
  assert.equal(undo.undo(), "");
  assert.equal(undo.redo(), "ab");
  undo.push("other");
  assert.equal(undo.canRedo, false);
  assert.equal(undo.redo(), "other");
  undo.reset("new");
  assert.deepEqual([undo.now, undo.canUndo], ["new", false]);
});
