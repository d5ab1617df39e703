"""A drone's stored messages, as a list and as a track."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.ports import Page
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


async def test_geojson_is_a_line_with_its_times(ask: Client, store: SqliteStore) -> None:
    await keep_minutes(store)
    answer = await ask.get("/api/drones/drone-1/history?format=geojson&order=asc&limit=3")
    track = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert track.pop("continuation") is not None
    assert track == {
        "type": "Feature",
        "id": "drone-1",
        "geometry": {"type": "LineString", "coordinates": [[10.0, 50.0, 5.0], [10.1, 50.0, 5.0], [10.2, 50.0, 5.0]]},
        "properties": {"id": "drone-1", "times": MINUTES[:3]},
    }


@pytest.mark.parametrize(
    ("positions", "geometry"),
    [
        ([], None),
        ([None, {"latitude": 1.0}], None),
        ([{"latitude": 1.0, "longitude": 2.0}], {"type": "Point", "coordinates": [2.0, 1.0]}),
    ],
)
def test_what_is_no_line_is_a_point_or_nothing(positions: list[Any], geometry: Any) -> None:
    from http_api.history import track

    messages: list[Any] = [
        {"time": "2026-01-01T00:00:00.000000Z", **({"position": position} if position else {})}
        for position in positions
    ]
    feature = track("drone-1", Page(messages, None))
    assert feature["geometry"] == geometry
    assert len(feature["properties"]["times"]) == (0 if geometry is None else 1)


@pytest.mark.parametrize(
    ("query", "name"), [("order=up", "order"), ("format=kml", "format"), ("from=now", "from"), ("to=1", "to")]
)
async def test_a_wrong_parameter_is_named(ask: Client, query: str, name: str) -> None:
    answer = await ask.get(f"/api/drones/drone-1/history?{query}")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, name)
