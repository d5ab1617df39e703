import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped } from "../src/map/groups";
import { LABEL_HEIGHT, Occupancy, spots } from "../src/map/labels";
import { boundsOf, Markers, WORLD, type Marker } from "../src/map/markers";
import type { Row } from "../src/domain/fleet";

const row = (id: string, longitude: number, latitude: number, more: object = {}): Row =>
  ({
    drone: { id, position: { longitude, latitude }, heading: 90, alerts: [] },
    connectivity: "online",
    rank: 0,
    ...more,
  }) as unknown as Row;

function markers(rows: Row[]): readonly Marker[] {
  const all = new Markers();
  all.set(rows, 0, 0);
  return all.order;
}

const names = (list: readonly { id: string }[]) => list.map(({ id }) => id).sort();

test("drones that would lie on each other are a group while the map is far away", () => {
  const fleet = markers([row("a", 8, 50), row("b", 8.001, 50), row("c", 8, 50.001), row("far", 20, 50)]);
  const far = grouped(fleet, 6, null);
  assert.deepEqual(names(far.singles), ["far"]);
  assert.deepEqual(names(far.groups[0]?.members ?? []), ["a", "b", "c"]);
  const near = grouped(fleet, 16, null);
  assert.deepEqual([near.singles.length, near.groups.length], [4, 0]);
  // However many lie in one place: close by, each is drawn.
  assert.equal(grouped(fleet, 18, null).groups.length, 0);
});

test("a group is as bad as its worst drone, and says how many are how", () => {
  const alert = { drone: { ...row("x", 8, 50).drone, alerts: [{ code: "low_battery", at: null }] } };
  const fleet = markers([
    row("a", 8, 50),
    row("b", 8, 50, { connectivity: "stale" }),
    row("c", 8, 50, { connectivity: "offline" }),
  ]);
  assert.equal(grouped(fleet, 3, null).groups[0]?.worst, "offline");
  const worse = markers([row("a", 8, 50), row("b", 8, 50), row("x", 8, 50, alert)]);
  const [group] = grouped(worse, 3, null).groups;
  assert.equal(group?.worst, "alert");
  assert.deepEqual(group?.counts, { alert: 1, offline: 0, stale: 0, online: 2 });
});

test("the chosen drone is never hidden in a group", () => {
  const fleet = markers(["a", "b", "c", "d"].map((id) => row(id, 8, 50)));
  const { singles, groups } = grouped(fleet, 3, "b");
  assert.deepEqual(names(singles), ["b"]);
  assert.deepEqual(names(groups[0]?.members ?? []), ["a", "c", "d"]);
});

test("drones on both sides of the date line are one group, and their bounds are narrow", () => {
  const fleet = markers([row("a", 179.999, -17), row("b", -179.999, -17), row("c", -179.998, -17)]);
  assert.equal(grouped(fleet, 5, null).groups.length, 1);
  const [west, , east] = boundsOf(fleet) ?? [0, 0, 0];
  assert.ok(east - west < 400 && east > WORLD / 2);
  assert.equal(boundsOf([]), null);
});

test("a drone that crosses the date line flies on", () => {
  const all = new Markers();
  all.set([row("a", 179.999, 0)], 1000, 0);
  all.set([row("a", -179.999, 0)], 1000, 0);
  const track = all.get("a")?.track;
  assert.ok(track && track.toX > track.fromX && track.toX - track.fromX < 300);
});

test("a name takes the first place that is free, and none outside of the map", () => {
  const taken = new Occupancy();
  taken.reset(200, 100);
  const [below, above, right] = spots(100, 50, 40);
  assert.ok(below && above && right);
  taken.take(...below, 40, LABEL_HEIGHT);
  assert.equal(taken.isFree(...below, 40, LABEL_HEIGHT), false);
  assert.equal(taken.isFree(...above, 40, LABEL_HEIGHT), true);
  taken.reset(200, 100);
  assert.equal(taken.isFree(...below, 40, LABEL_HEIGHT), true);
  assert.equal(taken.isFree(190, 10, 40, LABEL_HEIGHT), false);
  assert.equal(taken.isFree(-1, 10, 40, LABEL_HEIGHT), false);
  taken.take(-50, -50, 500, 500);
  assert.equal(taken.isFree(...right, 40, LABEL_HEIGHT), false);
});
