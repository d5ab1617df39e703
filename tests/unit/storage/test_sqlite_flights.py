"""Flights on SQLite: a range in the past costs what is in it, and files that say not yet how long flights are do."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from pipeline.ports import FlightChange, FlightFilter, FlightHead
from storage.sqlite import SqliteStore
from storage.sqlite.schema import _LONGEST_FLIGHT, _VERSIONS
from telemetry.flights import not_flying
from tests.support.records import at

MANY = 2_000


def flight(start: int, end: int, device: str = "d") -> Any:
    return {"id": f"{device}~{start:06d}", "deviceId": device, "startedAt": at(start), "lastAt": at(end), "ended": True}


async def saved(store: SqliteStore, *flights: Any) -> None:
    head = FlightHead("d", not_flying(), by_mode=True, version=None)
    assert await store.flights.save([FlightChange(head, flights, [])]) == []


async def opened(folder: Path) -> SqliteStore:
    store = SqliteStore(folder)
    await store.open()
    return store


async def test_a_range_in_the_past_does_not_go_through_all_that_is_older(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await saved(store, *(flight(10 * n, 10 * n + 5) for n in range(MANY)))
    steps: list[int] = []

    def counted(connection: sqlite3.Connection) -> None:
        connection.set_progress_handler(lambda: steps.append(1), 100)

    await store.database.read(counted)
    for device in (None, "d"):
        # Nothing is in it: 1,500 flights began before, and none of them reaches into it.
        found = await store.flights.list(FlightFilter(device, at(15_006), at(15_009)), 10, None)
        assert found.items == []
    assert len(await store.flights.between("d", at(15_001), at(15_009))) == 1
    assert len(steps) < 10
    await store.close()


async def test_of_an_earlier_file_the_longest_flight_is_found_out(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await saved(store, flight(0, 7_200))
    await store.close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("DELETE FROM totals")
        connection.execute("DROP TABLE held_batches")  # which came later
        connection.execute(f"PRAGMA user_version={_VERSIONS.index(_LONGEST_FLIGHT)}")
    connection.close()
    store = await opened(tmp_path)
    found = await store.flights.list(FlightFilter(None, at(7_100), at(7_150)), 10, None)
    assert [one["id"] for one in found.items] == ["d~000000"]
    await store.close()
