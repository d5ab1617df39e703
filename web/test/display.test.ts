// Times in a zone, measures in units, and what a plot says where it has no data.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { filterOf, NO_FILTER, queryOf } from "../src/domain/fleet";
import { distance, height, speed } from "../src/domain/format";
import { broken, gapOf, valueAt } from "../src/domain/series";
import { clock, fromField, mark, moment, toField, zoneName } from "../src/domain/time";
import { UNITS } from "../src/domain/units";

const usual = process.env["TZ"];
afterEach(() => {
  if (usual === undefined) delete process.env["TZ"];
  else process.env["TZ"] = usual;
});

const at = (time: string) => Date.parse(time);

test("a time is read on the machine's clock or on UTC's, and says which", () => {
  process.env["TZ"] = "Asia/Kolkata";
  const time = "2026-01-31T20:05:06.789Z";
  assert.equal(moment(time, "utc"), "2026-01-31 20:05:06 UTC");
  assert.equal(moment(time, "local"), "2026-02-01 01:35:06 UTC+5:30");
  // Today in one zone is tomorrow in the other.
  assert.equal(clock(time, at("2026-01-31T21:00:00Z"), "local"), "01:35:06");
  assert.equal(clock(time, at("2026-02-01T02:00:00Z"), "utc"), "2026-01-31 20:05:06");
  assert.equal(clock(null, 0, "utc"), "–");
});

test("a zone's offset is that of the moment, summer and winter", () => {
  process.env["TZ"] = "America/St_Johns";
  assert.equal(zoneName(at("2026-01-01T00:00:00Z"), "local"), "UTC-3:30");
  assert.equal(zoneName(at("2026-07-01T00:00:00Z"), "local"), "UTC-2:30");
  assert.equal(zoneName(at("2026-07-01T00:00:00Z"), "utc"), "UTC");
  process.env["TZ"] = "UTC";
  assert.equal(zoneName(0, "local"), "UTC");
});

test("marks on an axis are as fine as they are close", () => {
  process.env["TZ"] = "Asia/Kolkata";
  const seconds = at("2026-01-31T20:05:06Z") / 1000;
  assert.deepEqual([1, 60, 86_400].map((step) => mark(seconds, step, "utc")), ["20:05:06", "20:05", "01-31"]);
  assert.deepEqual([1, 60, 86_400].map((step) => mark(seconds, step, "local")), ["01:35:06", "01:35", "02-01"]);
});

test("a field of a time leads there and back in both zones", () => {
  process.env["TZ"] = "Asia/Kolkata";
  assert.equal(toField("2026-01-31T20:05:06Z", "local"), "2026-02-01T01:35:06");
  for (const zone of ["utc", "local"] as const) {
    assert.equal(fromField(toField("2026-01-31T20:05:06Z", zone), zone), "2026-01-31T20:05:06Z");
  }
  assert.equal(fromField("2026-01-31T20:05", "utc"), "2026-01-31T20:05:00Z");
  assert.deepEqual([fromField("", "utc"), fromField("soon", "local"), toField(null, "utc")], ["", "", ""]);
});

test("measures are read in the chosen units", () => {
  const all = (metres: number) => [height(metres, UNITS.metric), height(metres, UNITS.aviation)];
  assert.deepEqual(all(12.34), ["12.3 m", "40 ft"]);
  assert.deepEqual(all(-3.05), ["-3.0 m", "-10 ft"]);
  assert.deepEqual([speed(10, UNITS.metric), speed(10, UNITS.kmh), speed(10, UNITS.aviation)], [
    "10.0 m/s",
    "36.0 km/h",
    "19.4 kn",
  ]);
  assert.deepEqual([999, 1234.5].map((metres) => distance(metres, UNITS.kmh)), ["999 m", "1.23 km"]);
  assert.deepEqual([1500, 1852].map((metres) => distance(metres, UNITS.aviation)), ["4,921 ft", "1.00 NM"]);
});

test("a line is broken where nothing was said, and says nothing there", () => {
  const times = [...Array(20).keys(), 100, 101];
  const values = times.map((time) => time * 2);
  assert.equal(gapOf([times, values]), 10);
  const [drawnTimes, drawn] = broken([times, values], 10);
  assert.deepEqual(drawn.slice(18), [360, 380, null, 2000, 2020]);
  assert.equal(drawnTimes[20], 59.5);
  const said = (time: number) => valueAt([times, values], time);
  assert.deepEqual([said(3.2), said(20), said(60), said(99), said(101.5)], [6, 38, null, 200, 202]);
  assert.deepEqual([said(-20), said(200), valueAt([[], []], 1)], [null, null, null]);
});

test("seldom is no gap where it is usual", () => {
  const times = [0, 60, 120, 180, 400];
  assert.equal(gapOf([times, times]), 300);
  assert.equal(valueAt([times, times], 300), 400);
});

test("the fleet's filter leads into an address and back; what is no filter is none", () => {
  const filter = { ...NO_FILTER, text: "x y", connectivity: "stale" as const, alert: "any", sort: "battery" as const };
  assert.deepEqual(filterOf(queryOf(filter)), filter);
  assert.equal(queryOf(NO_FILTER)["sort"], "");
  assert.deepEqual(filterOf({ connectivity: "asleep", sort: "constructor" }), NO_FILTER);
});
