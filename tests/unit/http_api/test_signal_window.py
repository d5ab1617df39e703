"""One drone, the fleet, the totals and the health while signals wait for the end of their window."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.clock import ago
from pipeline.records import Batch, Counts
from storage.sqlite import SqliteStore
from telemetry.merge import merge_messages
from telemetry.model import Message
from tests.support import states
from tests.support.extension import Extension
from tests.support.http_client import Client


@pytest.fixture(autouse=True)
def window(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIGNAL_WINDOW_SECONDS", "10")


def message(seconds_ago: float, **fields: Any) -> Message:
    moment = ago(seconds_ago)
    [found] = states.validated(states.telemetry(timestamp=moment, **fields), enqueued_at=moment).messages
    return found


async def hold(store: SqliteStore, *messages: Message, since: str | None = None) -> Batch:
    """A batch of these messages, completed, whose drones have not been told."""
    batch = await states.keep_batch(store, "held")
    await store.ledger.begin(batch.id, batch.instance_id, "store")
    await store.messages.put(messages, batch.id)
    return await store.ledger.complete(
        batch.id,
        batch.instance_id,
        Counts(len(messages), len(messages), 0, 0),
        since or ago(0),
        held_from=min(one["enqueuedAt"] for one in messages),
    )


async def test_a_drone_is_shown_with_what_it_will_be_told(
    ask: Client, store: SqliteStore, extension: Extension
) -> None:
    told, news = message(60, battery=0.9, heading=10), message(3, battery=0.8)
    extension.keep(merge_messages([told])["drone-1"])
    before = await ask.get("/api/drones/drone-1")
    await hold(store, news)
    answer = await ask.get("/api/drones/drone-1", if_none_match=before.headers["etag"])
    assert answer.status == 200
    drone = answer.json()
    assert (drone["battery"], drone["heading"], drone["lastSeen"]) == (0.8, 10, news["enqueuedAt"])
    assert (await ask.get("/api/v1/dronestatus/drone-1")).json()["Battery"] == 0.8

    # The tag is the same when the entity has heard of it.
    extension.keep(merge_messages([told, news])["drone-1"])
    again = await ask.get("/api/drones/drone-1", if_none_match=answer.headers["etag"])
    assert again.status == 304


async def test_a_drone_of_which_its_entity_has_not_heard_yet_is_there(ask: Client, store: SqliteStore) -> None:
    assert (await ask.get("/api/drones/drone-1")).status == 404
    await hold(store, message(3, battery=0.8))
    assert (await ask.get("/api/drones/drone-1")).json()["battery"] == 0.8
    assert (await ask.get("/api/drones/drone-2")).status == 404


async def test_without_a_window_the_entity_alone_is_asked(
    ask: Client, store: SqliteStore, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SIGNAL_WINDOW_SECONDS", "0")
    await hold(store, message(3, battery=0.8))
    assert (await ask.get("/api/drones/drone-1")).status == 404


async def test_a_store_that_is_away_leaves_what_the_entity_knows(
    ask: Client, store: SqliteStore, extension: Extension
) -> None:
    extension.keep(merge_messages([message(60, battery=0.9)])["drone-1"])
    await store.close()
    assert (await ask.get("/api/drones/drone-1")).json()["battery"] == 0.9
    assert (await ask.get("/api/drones")).json()["asOf"] is None


async def test_the_fleet_says_how_old_it_is(ask: Client, store: SqliteStore, extension: Extension) -> None:
    extension.keep(merge_messages([message(60, battery=0.9)])["drone-1"])
    news = message(3, battery=0.8)
    await hold(store, news)
    fleet = (await ask.get("/api/drones")).json()
    assert [drone["battery"] for drone in fleet["items"]] == [0.9]
    assert fleet["asOf"] == news["enqueuedAt"]


async def test_what_waits_is_counted_and_what_waits_too_long_is_said(
    ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = ago(100)
    await hold(store, message(101, battery=0.8), since=since)
    assert (await ask.get("/api/stats")).json()["held"] == {"batches": 1, "since": since}
    durable = (await ask.get("/api/health")).json()["parts"]["durable"]
    assert durable == {
        "status": "degraded",
        "detail": f"drones have not been told of 1 batches, the oldest completed at {since}",
    }


async def test_what_waits_for_its_window_is_well(ask: Client, store: SqliteStore) -> None:
    await hold(store, message(3, battery=0.8))
    assert (await ask.get("/api/health")).json()["parts"]["durable"] == {"status": "healthy"}
