import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { explain, problemOf } from "../src/api/problem";
import { bytesOf, decodeBody, hexDump } from "../src/domain/body";
import { coordinates, distance, heading, height, integer, percent, speed, words } from "../src/domain/format";
import { mergeHistory, series, trackOf, secondsLeft } from "../src/domain/history";
import { glide, headingAt, progress, standing, xAt } from "../src/domain/motion";
import { formatRoute, parseRoute } from "../src/domain/route";
import { ago, duration, ServerClock, sortable, span } from "../src/domain/time";
import { UNITS } from "../src/domain/units";
import { safeUrl } from "../src/domain/url";
import { message } from "./samples";

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64");

test("what nobody knows is a dash, never a zero", () => {
  for (const text of [percent(null), height(undefined, UNITS.metric), speed(null, UNITS.aviation), distance(NaN, UNITS.kmh), integer(NaN), coordinates(1, null), words(null)]) {
    assert.equal(text, "–");
  }
  assert.equal(percent(0), "0 %");
});

test("values read as an operator says them", () => {
  assert.equal(percent(0.126), "13 %");
  assert.equal(heading(359.7), "0° N");
  assert.equal(heading(225), "225° SW");
  assert.equal(coordinates(-47.5, 8.25), "47.50000° S, 8.25000° E");
  assert.equal(words("battery_out_of_range"), "Battery out of range");
  assert.equal(words("malformed_json"), "Malformed JSON");
  assert.equal(words("eventHub"), "Event hub");
});

test("ages and spans", () => {
  assert.deepEqual([0.4, 12, 100, 7200, 7380, 200_000].map(duration), [
    "now",
    "12 s",
    "1 min",
    "2 h",
    "2 h 3 min",
    "2 d 7 h",
  ]);
  const now = Date.parse("2026-01-01T00:00:30Z");
  assert.equal(ago("2026-01-01T00:00:00Z", now), "30 s ago");
  assert.equal(ago("2026-01-01T00:01:00Z", now), "just now");
  assert.equal(ago(null, now), "–");
  assert.deepEqual([420, 1300, 95_000].map(span), ["420 ms", "1.3 s", "1 min"]);
});

test("times of any number of digits sort as text", () => {
  const times = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:00.999Z", "2026-01-01T00:00:00.123456Z"];
  assert.deepEqual([...times].sort((a, b) => (sortable(a) < sortable(b) ? -1 : 1)), times.reverse());
});

test("the server's clock is learnt from the answer that was quickest", () => {
  const clock = new ServerClock();
  assert.equal(clock.offset, 0);
  clock.learn("1970-01-01T00:01:00Z", 10, 60_000);
  clock.learn("1970-01-01T00:01:00Z", 10, 61_500);
  assert.equal(clock.offset, 10_000);
});

test("a body is JSON, else text, else bytes", async () => {
  const json = await decodeBody(base64('{"a":1}'));
  assert.equal(json?.best, "json");
  assert.equal(json?.json, '{\n  "a": 1\n}');
  assert.equal((await decodeBody(base64("not json")))?.best, "text");
  const binary = await decodeBody(base64(Uint8Array.of(0x0a, 0x01, 0x41, 0x00)));
  assert.equal(binary?.best, "hex");
  assert.equal(binary?.text, null);
  assert.equal((await decodeBody(base64(Uint8Array.of(0xff, 0xfe))))?.best, "hex");
  assert.equal(await decodeBody("%%%"), null);
});

test("a packed body is unpacked; one that only begins like it is shown as bytes", async () => {
  const packed = await decodeBody(base64(gzipSync('{"a":1}')));
  assert.equal(packed?.gzip, true);
  assert.equal(packed?.unpackedSize, 7);
  assert.equal(packed?.best, "json");
  const broken = await decodeBody(base64(Uint8Array.of(0x1f, 0x8b, 1, 2, 3)));
  assert.equal(broken?.gzip, false);
  assert.equal(broken?.best, "hex");
});

test("a hex dump has offset, bytes and what is printable", () => {
  const dump = hexDump(bytesOf(base64("drone\n<b>0123456789"))!);
  assert.equal(dump.split("\n").length, 2);
  assert.match(dump, /^000000 {2}64 72 6f 6e 65 0a 3c 62 {2}3e 30 31 32 33 34 35 36 {2}drone·<b>0123456\n000010 {2}37/);
});

test("history is by time, each message once, within the time kept", () => {
  const [a, b, c] = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:02Z"].map((time) =>
    message(time),
  );
  const merged = mergeHistory([a!, b!], [c!, b!], Date.parse("2026-01-01T00:00:01.200Z"));
  assert.deepEqual(merged, [b, c]);
});

test("a series holds what messages say; the track leaves out standing still", () => {
  const messages = [
    message("2026-01-01T00:00:01Z", { battery: 0.5, position: { latitude: 1, longitude: 2, altitude: 3 } }),
    message("2026-01-01T00:00:02Z", { position: { latitude: 1, longitude: 2 } }),
    message("2026-01-01T00:00:03Z", { battery: 0, position: { latitude: 1, longitude: 3 } }),
  ];
  assert.deepEqual(series(messages, "battery")[1], [0.5, 0]);
  assert.deepEqual(series(messages, "altitude")[1], [3]);
  assert.deepEqual(trackOf(messages), [
    [2, 1],
    [3, 1],
  ]);
});

test("what is left of a battery is told when it falls and there is a minute to tell from", () => {
  assert.equal(secondsLeft([[0, 30], [1, 0.9]], 600), null);
  assert.equal(secondsLeft([[0, 60], [0.5, 0.6]], 600), null);
  assert.equal(secondsLeft([[0, 600, 1200], [1, 0.5, 0.25]], 600), 600);
  assert.equal(secondsLeft([[0, 60], [1, 0.9999]], 600), null);
});

test("markers glide, turn the short way round, and jump when it is far", () => {
  const start = standing(0, 0, (350 * Math.PI) / 180);
  const moving = glide(start, 100, 0, (10 * Math.PI) / 180, 1000, 2000);
  assert.equal(progress(moving, 2000), 0.5);
  assert.equal(xAt(moving, 0.5), 50);
  assert.equal(Math.round((headingAt(moving, 0.5)! * 180) / Math.PI), 360);
  const again = glide(moving, 200, 0, 0, 2000, 2000);
  assert.equal(again.fromX, 50);
  assert.equal(progress(glide(start, 1e6, 0, null, 0, 2000), 0), 1);
  assert.equal(progress(glide(start, 1, 0, null, 0, 0), 0), 1);
});

test("addresses lead there and back; no address is the fleet, others are said to be none", () => {
  const route = { view: "deadletters" as const, open: "a/b ü", query: { status: "open", deviceId: "x&y" } };
  assert.deepEqual(parseRoute(formatRoute(route)), route);
  for (const hash of ["", "#", "#/"]) assert.equal(parseRoute(hash).view, "fleet");
  for (const hash of ["#/nowhere/x", "#/%E0%A4%A", "#fleet", "#/fleet/a/b", "#x/fleet"]) {
    assert.deepEqual(parseRoute(hash), { view: "unknown", open: hash, query: {} });
    assert.equal(formatRoute(parseRoute(hash)), hash);
  }
  assert.equal(parseRoute("#/fleet/%E0%A4%A").open, null);
});

test("only web addresses become links", () => {
  assert.equal(safeUrl("http://localhost:7071/runtime"), "http://localhost:7071/runtime");
  assert.equal(safeUrl("/runtime/x"), "/runtime/x");
  for (const url of ["javascript:alert(1)", "//evil.example", "data:text/html,x", ""]) {
    assert.equal(safeUrl(url), "#");
  }
});

test("a refusal is shown as what it is", () => {
  const body = JSON.stringify({ title: "Bad request", detail: "limit must be 1 to 1000", errors: [1] });
  const problem = problemOf(400, "", body, null);
  assert.equal(problem.kind, "refused");
  assert.deepEqual(problem.errors, [1]);
  assert.equal(explain(problem), "Bad request: limit must be 1 to 1000 (400)");
  assert.match(explain(problemOf(401, "", "{}", null)), /not signed in \(401\)/);
  assert.match(explain(problemOf(403, "", "{}", null)), /may not see or do this \(403\)/);
  const down = problemOf(503, "Service Unavailable", "<html>", "7");
  assert.equal(down.kind, "server");
  assert.equal(down.retryAfter, 7);
});
