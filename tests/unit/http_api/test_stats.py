"""Totals, and the count of a fleet of any size."""

from __future__ import annotations

import asyncio

import pytest

from durable_sdk import EntityPage
from http_api import stats
from http_api.counting import DroneCounter
from pipeline.samples import Samples
from storage.sqlite import SqliteStore
from tests.support import states
from tests.support.extension import Extension
from tests.support.http_client import Client


async def test_an_empty_store_has_nothing_of_everything(ask: Client) -> None:
    assert (await ask.get("/api/stats")).json() == {
        "events": 0,
        "messages": 0,
        "stored": 0,
        "rejected": 0,
        "duplicates": 0,
        "batches": {"received": 0, "running": 0, "completed": 0, "failed": 0},
        "deadLetters": {"open": 0, "replayed": 0, "discarded": 0},
        "deadLetterCodes": {},
        "drones": 0,
        "unprocessed": 0,
        "oldestUnprocessedAt": None,
        "oldestUnfinishedAt": None,
        "held": {"batches": 0, "since": None},
    }


async def test_totals_come_from_ledger_letters_and_entities(
    ask: Client, store: SqliteStore, extension: Extension
) -> None:
    await states.keep_batch(store, "done", ends="completed")
    await states.keep_batch(store, "failed", ends="failed")
    await states.keep_batch(store, "waits")
    await store.dead_letters.put(states.validated({"battery": 2}, batch_id="done").dead_letters, "done")
    extension.keep(states.state("drone-1"))
    extension.keep(states.state("drone-2"))
    answer = (await ask.get("/api/stats")).json()
    assert answer["messages"] == answer["stored"] + answer["duplicates"] + answer["rejected"] == 3
    assert answer["events"] == 6
    assert answer["batches"] == {"received": 1, "running": 0, "completed": 1, "failed": 1}
    assert answer["deadLetters"] == {"open": 1, "replayed": 0, "discarded": 0}
    assert answer["deadLetterCodes"] == {"battery_out_of_range": 1, "missing_device_id": 1}
    assert answer["drones"] == 2
    assert answer["oldestUnfinishedAt"] is not None


async def test_what_has_failed_is_not_processed(ask: Client, store: SqliteStore) -> None:
    await states.keep_batch(store, "a", ends="completed")
    assert (await ask.get("/api/stats")).json()["unprocessed"] == 0
    await states.keep_batch(store, "b", ends="failed", received_at="2026-01-02T03:00:00.000000Z")
    await states.keep_batch(store, "c")
    answer = (await ask.get("/api/stats")).json()
    assert answer["unprocessed"] == 4
    assert answer["oldestUnprocessedAt"] == "2026-01-02T03:00:00.000000Z"


class Fleet:
    """Pages of an endless-looking fleet; each waits for ``gate``."""

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.read = 0
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def page(self, top: int, token: str | None, *, fetch_state: bool = True) -> EntityPage:
        assert not fetch_state
        self.asked.set()
        await self.gate.wait()
        self.read += 1
        number = int(token or 0) + 1
        return EntityPage([("key", None)] * top, str(number) if number < self.pages else None)


async def test_a_request_does_not_wait_for_the_whole_walk() -> None:
    counter, fleet = DroneCounter(), Fleet(pages=3)
    assert await counter.count(fleet, wait_seconds=0) is None
    fleet.gate.set()
    assert await counter.count(fleet, wait_seconds=10) == 3000
    assert fleet.read == 3


async def test_many_requests_share_one_walk_and_its_result_for_a_while() -> None:
    time = 0.0
    counter, fleet = DroneCounter(clock=lambda: time), Fleet(pages=2)
    asking = [asyncio.create_task(counter.count(fleet)) for _ in range(5)]
    await fleet.asked.wait()
    time = 5.0  # so long a walk is good for a second
    fleet.gate.set()
    assert await asyncio.gather(*asking) == [2000] * 5
    assert await counter.count(fleet) == 2000
    assert fleet.read == 2
    time = 6.0
    fleet.gate.clear()
    assert await counter.count(fleet, wait_seconds=0) == 2000  # the last one, while the next is being made
    fleet.gate.set()
    assert await counter.count(fleet) == 2000
    assert fleet.read == 4


async def test_the_count_of_a_small_fleet_is_never_an_old_one(ask: Client, extension: Extension) -> None:
    assert (await ask.get("/api/stats")).json()["drones"] == 0
    extension.keep(states.state("drone-1"))
    assert (await ask.get("/api/stats")).json()["drones"] == 1


async def test_a_count_that_fails_is_503_and_made_anew(
    ask: Client, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    extension.down = True
    assert (await ask.get("/api/stats")).status == 503
    extension.down = False
    assert (await ask.get("/api/stats")).json()["drones"] == 0
    assert stats._drones._last == 0


async def test_the_last_hour_is_told_from_what_was_seen(
    ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "SAMPLES", Samples())
    await states.keep_batch(store, "failed", ends="failed")
    await ask.get("/api/stats")
    await states.keep_batch(store, "done", ends="completed")
    await ask.get("/api/stats")  # no sample of its own: the last one is as good as new
    (sample,) = (await ask.get("/api/stats/history")).json()["items"]
    assert sample | {"at": ""} == {
        "at": "",
        "messages": 0,
        "stored": 0,
        "duplicates": 0,
        "rejected": 0,
        "unfinished": 0,
        "failed": 1,
        "unprocessed": 2,
        "oldestUnprocessedAt": states.ENQUEUED,
    }
    assert (await ask.get(f"/api/stats/history?since={sample['at']}")).json()["items"] == []
    answer = await ask.get("/api/stats/history?since=lately")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, "since")
