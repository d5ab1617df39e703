import assert from "node:assert/strict";
import { test } from "node:test";
import { changedFields, check, mergedForm, readForm, writeEntry, wrongOf, type Entry } from "../src/domain/registration";

const ENTRY = {
  id: "drone-1",
  name: "Falcon",
  model: null,
  owner: "North",
  home: { latitude: 47.5, longitude: -122.2, altitude: 488, altitudeReference: "wgs84", pad: 3 },
  serial: "X-9",
} as unknown as Entry;

test("what is not edited stays as it was", () => {
  assert.deepEqual(writeEntry("drone-1", readForm(ENTRY), ENTRY), ENTRY);
});

test("a home is both numbers, and gone when both are empty", () => {
  const form = { ...readForm(ENTRY), latitude: "48,25", altitude: "" };
  assert.deepEqual(writeEntry("drone-1", form, ENTRY).home, { latitude: 48.25, longitude: -122.2, pad: 3 });
  assert.equal(writeEntry("drone-1", { ...form, latitude: " ", longitude: "" }, ENTRY).home, null);
  assert.deepEqual(writeEntry("new", readForm(null), null), { id: "new", name: null, model: null, owner: null, home: null });
});

test("what is wrong is told at its field", () => {
  const form = readForm(null);
  assert.deepEqual(check(form), {});
  assert.deepEqual(Object.keys(check({ ...form, latitude: "91", longitude: "west" })), ["latitude", "longitude"]);
  assert.deepEqual(Object.keys(check({ ...form, latitude: "1" })), ["longitude"]);
  assert.deepEqual(Object.keys(check({ ...form, altitude: "5" })), ["altitude"]);
  assert.deepEqual(Object.keys(check({ ...form, latitude: "1", longitude: "1", altitude: "high" })), ["altitude"]);
  assert.deepEqual(wrongOf([{ field: "home.latitude", detail: "must be" }, { field: "id", detail: "no" }, null]), {
    latitude: "must be",
  });
});

test("two people's changes come together field by field, mine on top", () => {
  const base = readForm(ENTRY);
  const theirs = { ...base, owner: "South", model: "X4" };
  const mine = { ...base, owner: "East" };
  assert.deepEqual(changedFields(base, theirs), ["model", "owner"]);
  assert.deepEqual(mergedForm(base, theirs, mine), { ...base, owner: "East", model: "X4" });
});
