"""A drone's stored messages, as a list and as a track."""

from __future__ import annotations

import pytest

from http_api import exporting, history
from storage.sqlite import SqliteStore
from tests.support import states
from tests.support.extension import Extension
from tests.support.http_client import Client
from tests.support.states import MINUTES, keep_minutes


async def times(ask: Client, query: str) -> list[str]:
    answer = await ask.get(f"/api/drones/drone-1/history?{query}")
    assert answer.status == 200, answer.body
    return [item["time"] for item in answer.json()["items"]]


async def test_a_message_is_shown_as_stored_without_what_it_did_not_say(ask: Client, store: SqliteStore) -> None:
    found = states.validated(states.telemetry(battery=0.5, colour="red"), batch_id="batch")
    await store.messages.put(found.messages, "batch")
    (item,) = (await ask.get("/api/drones/drone-1/history")).json()["items"]
    assert item.pop("id") == found.messages[0]["id"]
    assert item == {
        "deviceId": "drone-1",
        "time": "2026-01-02T03:04:05.000000Z",
        "timeSource": "device",
        "format": "json",
        "keyFrame": False,
        "battery": 0.5,
        "extra": {"colour": "red"},
        "alerts": [],
        "flags": [],
        "enqueuedAt": "2026-01-02T03:04:05.500000Z",
        "partition": "0",
        "sequenceNumber": 1,
        "index": 0,
        "batchId": "batch",
    }


async def test_newest_first_unless_asked_otherwise(ask: Client, store: SqliteStore) -> None:
    await keep_minutes(store)
    assert await times(ask, "") == MINUTES[::-1]
    assert await times(ask, "order=asc") == MINUTES


async def test_from_is_inclusive_and_to_exclusive(ask: Client, store: SqliteStore) -> None:
    await keep_minutes(store)
    assert await times(ask, f"order=asc&from={MINUTES[1]}&to={MINUTES[3]}") == MINUTES[1:3]


async def test_pages_follow_each_other(ask: Client, store: SqliteStore) -> None:
    await keep_minutes(store)
    first = (await ask.get("/api/drones/drone-1/history?limit=2")).json()
    second = (await ask.get(f"/api/drones/drone-1/history?limit=9&continuation={first['continuation']}")).json()
    assert [item["time"] for item in first["items"] + second["items"]] == MINUTES[::-1]
    assert second["continuation"] is None


@pytest.mark.parametrize("token", ["W10", "AAAA", "WyJ4IiwiYSIsImIiXQ"])
async def test_a_token_that_is_not_ours_is_named(ask: Client, store: SqliteStore, token: str) -> None:
    await keep_minutes(store)
    answer = await ask.get(f"/api/drones/drone-1/history?continuation={token}")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, "continuation")


async def test_a_drone_never_seen_is_404_and_one_without_messages_is_empty(
    ask: Client, store: SqliteStore, extension: Extension
) -> None:
    assert (await ask.get("/api/drones/drone-1/history")).status == 404
    extension.keep(states.state("drone-1"))
    assert (await ask.get("/api/drones/drone-1/history")).json() == {"items": [], "continuation": None}


async def test_a_drone_whose_entity_is_not_there_yet_is_known_by_its_messages(ask: Client, store: SqliteStore) -> None:
    await keep_minutes(store)
    assert await times(ask, "from=2030-01-01T00:00:00.000000Z") == []


async def test_geojson_is_the_whole_range_oldest_first(ask: Client, store: SqliteStore) -> None:
    await keep_minutes(store)
    answer = await ask.get(f"/api/drones/drone-1/history?format=geojson&order=desc&limit=1&to={MINUTES[3]}")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json() == {
        "type": "Feature",
        "id": "drone-1",
        "geometry": {"type": "LineString", "coordinates": [[10.0, 50.0, 5.0], [10.1, 50.0, 5.0], [10.2, 50.0, 5.0]]},
        "properties": {"id": "drone-1", "times": MINUTES[:3]},
    }


@pytest.mark.parametrize(
    ("name", "media_type", "start"),
    [
        ("csv", "text/csv; charset=utf-8", b"time,deviceId,"),
        ("gpx", "application/gpx+xml", b"<?xml"),
        ("kml", "application/vnd.google-earth.kml+xml", b"<?xml"),
    ],
)
async def test_other_formats_are_files(
    ask: Client, store: SqliteStore, name: str, media_type: str, start: bytes
) -> None:
    await keep_minutes(store)
    answer = await ask.get(f"/api/drones/drone-1/history?format={name}")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="drone-1.{name}"'
    assert answer.body.startswith(start)
    assert (await ask.get(f"/api/drones/never-seen/history?format={name}")).status == 404


async def test_a_file_is_read_page_by_page(ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    await keep_minutes(store)
    answer = await ask.get("/api/drones/drone-1/history?format=csv")
    assert [line.split(b",")[0].decode() for line in answer.body.splitlines()[1:]] == MINUTES


async def test_more_than_the_limit_is_refused_with_what_helps(
    ask: Client, store: SqliteStore, environment: pytest.MonkeyPatch
) -> None:
    await keep_minutes(store)
    environment.setenv("EXPORT_LIMIT", "3")
    url = f"/api/drones/drone-1/history?format=gpx&from={MINUTES[0]}"
    answer = await ask.get(url)
    assert answer.status == 400
    assert "EXPORT_LIMIT" in answer.json()["detail"]
    assert f"from={MINUTES[0]}&to={MINUTES[3]}" in answer.json()["detail"]
    assert (await ask.get(f"{url}&to={MINUTES[3]}")).status == 200
    assert (await ask.get(f"{url}&every=120")).status == 200


async def test_thinned_lists_and_files(ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep_minutes(store)
    assert await times(ask, "order=asc&every=120") == MINUTES[::2]
    assert await times(ask, "every=120") == MINUTES[::-2]
    assert await times(ask, "every=120.5") == [MINUTES[4], MINUTES[1]]
    monkeypatch.setattr(history, "CHUNK", 1)
    for order, expected in (("asc", MINUTES[::2]), ("desc", MINUTES[::-2])):
        found: list[str] = []
        token = ""
        while True:
            answer = (await ask.get(f"/api/drones/drone-1/history?order={order}&every=120&limit=1{token}")).json()
            found += [item["time"] for item in answer["items"]]
            if answer["continuation"] is None:
                break
            token = f"&continuation={answer['continuation']}"
        assert found == expected
    track = (await ask.get("/api/drones/drone-1/history?format=geojson&every=120")).json()
    assert track["properties"]["times"] == MINUTES[::2]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("order=up", "order"),
        ("format=shp", "format"),
        ("every=0", "every"),
        ("every=x", "every"),
        ("from=now", "from"),
        ("to=1", "to"),
    ],
)
async def test_a_wrong_parameter_is_named(ask: Client, query: str, name: str) -> None:
    answer = await ask.get(f"/api/drones/drone-1/history?{query}")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, name)
