"""Flights over HTTP: worked out from what is stored, paged, and gone when they have become part of another."""

from __future__ import annotations

import pytest

from storage.sqlite import SqliteStore
from telemetry import times
from telemetry.model import Message
from tests.support.flown import START, said
from tests.support.http_client import Client


async def flown(store: SqliteStore, start: float = 0, device: str = "d") -> None:
    modes = ["takeoff", "inflight", "landing", "ready"]
    at = {"latitude": 47.0, "longitude": 8.0, "altitude": 10.0}
    await store.messages.put(
        [said(start + n, device, flightMode=mode, position=at, battery=0.9 - n / 100) for n, mode in enumerate(modes)],
        "b",
    )


async def test_a_flight_is_there_as_soon_as_its_messages_are_stored(ask: Client, store: SqliteStore) -> None:
    await flown(store)
    listed = (await ask.get("/api/drones/d/flights")).json()
    [flight] = listed["items"]
    assert listed["continuation"] is None
    assert (flight["deviceId"], flight["status"], flight["messages"]) == ("d", "ended", 3)
    assert (flight["startedAt"], flight["durationSeconds"]) == (START, 2)
    assert (flight["batteryStart"], flight["batteryEnd"]) == (0.9, 0.88)
    assert flight["takeoff"] == flight["landing"]
    assert (await ask.get(f"/api/flights/{flight['id']}")).json() == flight
    assert (await ask.get("/api/flights?deviceId=d")).json()["items"] == [flight]


async def test_newest_first_by_overlap_and_in_pages(ask: Client, store: SqliteStore) -> None:
    for start in (0, 1000, 2000):
        await flown(store, start)
    await flown(store, 1500, "e")
    starts = [item["startedAt"] for item in (await ask.get("/api/flights")).json()["items"]]
    assert starts == [times.add_seconds(START, second) for second in (2000, 1500, 1000, 0)]
    seen, token = [], ""
    while token is not None:
        page = (await ask.get("/api/flights?limit=1" + (f"&continuation={token}" if token else ""))).json()
        seen += [item["startedAt"] for item in page["items"]]
        token = page["continuation"]
    assert seen == starts
    # Inclusive of the last message's time, exclusive of the first one's.
    for low, high, found in ((2, 1000, [0]), (2.001, 1000, []), (0, 1000.001, [1000, 0])):
        bounds = [times.add_seconds(START, second) for second in (low, high)]
        answer = (await ask.get(f"/api/drones/d/flights?from={bounds[0]}&to={bounds[1]}")).json()
        assert [item["startedAt"] for item in answer["items"]] == [times.add_seconds(START, second) for second in found]


async def test_a_flight_that_has_become_part_of_another_is_not_found(ask: Client, store: SqliteStore) -> None:
    await store.messages.put([said(0, flightMode="inflight"), said(400, flightMode="inflight")], "b")
    first, second = (await ask.get("/api/flights")).json()["items"]
    await store.messages.put([said(200, battery=0.5)], "c")
    [joined] = (await ask.get("/api/flights")).json()["items"]
    assert joined["id"] == second["id"]
    assert (await ask.get(f"/api/flights/{first['id']}")).status == 404


async def test_a_drone_without_flights_has_none_and_one_never_seen_is_not_found(
    ask: Client, store: SqliteStore
) -> None:
    await store.messages.put([said(0, flightMode="ready")], "b")
    assert (await ask.get("/api/drones/d/flights")).json() == {"items": [], "continuation": None}
    assert (await ask.get("/api/drones/nobody/flights")).status == 404
    assert (await ask.get("/api/flights?deviceId=nobody")).json() == {"items": [], "continuation": None}


@pytest.mark.parametrize(
    "url",
    ["/api/flights?deviceId=a%20b", "/api/flights?from=yesterday", "/api/flights?limit=0", "/api/flights?drone=d"],
)
async def test_wrong_parameters_are_named(ask: Client, url: str) -> None:
    assert (await ask.get(url)).status == 400


@pytest.mark.parametrize("wrong", ["nonsense", "d~1", "~2~3", "d~1~2~3"])
async def test_what_can_be_no_flight_is_not_found(ask: Client, wrong: str) -> None:
    assert (await ask.get(f"/api/flights/{wrong}")).status == 404


@pytest.mark.parametrize(
    ("name", "media_type", "point"),
    [
        ("geojson", "application/geo+json", b'"2026-01-01T10:00:0'),
        ("csv", "text/csv", b"\n2026-01-01T10:00:0"),
        ("gpx", "application/gpx+xml", b"<trkpt "),
        ("kml", "application/vnd.google-earth.kml+xml", b"8.0,47.0,10.0"),
    ],
)
async def test_its_track_is_its_own_messages(
    ask: Client, store: SqliteStore, name: str, media_type: str, point: bytes
) -> None:
    await flown(store)
    elsewhere = {"latitude": 48.0, "longitude": 8.0}
    # At the times of its first and its last message, by a clock of whole seconds, and yet before and behind it.
    before: Message = {**said(0, flightMode="ready", position=elsewhere), "id": "d8", "sequenceNumber": -1}
    behind: Message = {**said(2, flightMode="ready", position=elsewhere), "id": "d9", "sequenceNumber": 2001}
    await store.messages.put([before, behind], "c")
    [flight] = (await ask.get("/api/flights")).json()["items"]
    answer = await ask.get(f"/api/flights/{flight['id']}/track?format={name}")
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, media_type)
    assert answer.body.count(point) == 3
    thinned = await ask.get(f"/api/flights/{flight['id']}/track?format={name}&every=2")
    assert thinned.body.count(point) == 2


async def test_the_track_of_no_flight_is_not_found(ask: Client, store: SqliteStore) -> None:
    assert (await ask.get("/api/flights/d~1~2/track")).status == 404
    assert (await ask.get("/api/flights/d~1~2/track?format=json")).status == 400


async def test_a_track_of_more_than_the_limit_is_refused_with_what_helps(
    ask: Client, store: SqliteStore, environment: pytest.MonkeyPatch
) -> None:
    await flown(store)
    environment.setenv("EXPORT_LIMIT", "2")
    [flight] = (await ask.get("/api/flights")).json()["items"]
    answer = await ask.get(f"/api/flights/{flight['id']}/track?format=csv")
    assert answer.status == 400
    [error] = answer.json()["errors"]
    assert error["parameter"] == "every"
    narrower = f"/api/drones/d/history?format=csv&from={START}&to={times.add_seconds(START, 2)}"
    assert f"as in {narrower}," in error["detail"]
    assert len((await ask.get(narrower)).body.splitlines()) == 3
    assert (await ask.get(f"/api/flights/{flight['id']}/track?format=csv&every=2")).status == 200
