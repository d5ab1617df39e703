"""Small parts: time, versions, settings, JSON text, the store's writer."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from functions_host.clock import Clock
from functions_host.durable import DurableOptions
from functions_host.durable.actions import retry_delay
from functions_host.durable.clock import parse, wire, wire_seconds
from functions_host.durable.jsontext import compact, quote, recompact
from functions_host.durable.lock import StoreInUseError, StoreLock
from functions_host.durable.management.answers import json_error
from functions_host.durable.names import Names
from functions_host.durable.store import Store
from functions_host.durable.timers import Timers
from functions_host.durable.versions import accepts, compare
from functions_host.errors import StartError

SECOND = 1_000_000


def test_times_are_written_as_dotnet_does() -> None:
    assert wire(0) == "1970-01-01T00:00:00Z"
    assert wire(1_764_029_045 * SECOND + 500_000) == "2025-11-25T00:04:05.5Z"
    assert wire(1_764_029_045 * SECOND + 1) == "2025-11-25T00:04:05.000001Z"
    assert wire_seconds(1_764_029_045 * SECOND + 999_999) == "2025-11-25T00:04:05Z"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T00:00:10.25Z", 10.25),
        ("1970-01-01T01:00:10+01:00", 10),
        ("1969-12-31T23:00:10-0100", 10),
        ("1970-01-02", 86400),
        ("1970-01-01 00:01", 60),
        ("garbage", None),
        ("1970-13-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_times_are_read(text: str, seconds: float | None) -> None:
    assert parse(text) == (None if seconds is None else int(seconds * SECOND))


def test_the_clock_never_repeats_itself() -> None:
    clock = Clock()
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        (None, None, 0),
        (None, "1.0", -1),
        ("1", None, 1),
        ("1.2", "1.10", -1),
        ("2", "2.0", 0),
        ("2025-01-01", "2024-12-31", 1),
        ("V1", "v1", 0),
    ],
)
def test_versions_compare(left: str | None, right: str | None, order: int) -> None:
    assert compare(left, right) == order
    assert compare(right, left) == -order
    assert accepts("CurrentOrOlder", left, right) is (order <= 0)
    assert accepts("Strict", left, right) is (order == 0)
    assert accepts("None", left, right)


def test_host_json_is_read_without_case_and_unknown_keys_are_named(caplog: pytest.LogCaptureFixture) -> None:
    section = {
        "HubName": "MyHub",
        "maxConcurrentActivityFunctions": 3,
        "maxConcurrentOrchestratorFunctions": 4,
        "maxEntityOperationBatchSize": 5,
        "defaultVersion": "1.0",
        "versionMatchStrategy": "strict",
        "versionFailureStrategy": "Fail",
        "overridableExistingInstanceStates": "AnyState",
        "storageProvider": {"type": "AzureStorage", "connectionName": "MyStorage", "synchronous": "full"},
        "httpSettings": {"defaultAsyncRequestSleepTimeMilliseconds": 1000},
        "extendedSessionsEnabled": True,
        "hubNmae": "typo",
    }
    with caplog.at_level(logging.WARNING):
        options = DurableOptions.from_host_json({"extensions": {"durableTask": section}})
    assert options == DurableOptions("MyHub", "MyStorage", 3, 4, 5, "1.0", "Strict", "Fail", True, 1000, "full")
    assert [record.getMessage() for record in caplog.records] == [
        "host.json extensions.durableTask.hubNmae is not known to this host; it is ignored"
    ]
    assert DurableOptions.from_host_json({}) == DurableOptions()


@pytest.mark.parametrize(
    "section",
    [{"versionMatchStrategy": "Newest"}, {"maxConcurrentActivityFunctions": 0}, {"versionFailureStrategy": 1}],
)
def test_host_json_that_makes_no_sense_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="durableTask"):
        DurableOptions.from_section(section)


def test_json_is_compact_and_keeps_characters() -> None:
    assert compact({"a": ["é", 1.5, None]}) == '{"a":["é",1.5,null]}'
    assert compact("\ud800") == '"\\ud800"', "no UTF-8 holds half a pair"
    assert quote(None) == "null"
    assert recompact('{"v": 1, "w": [ ] }') == '{"v":1,"w":[]}'
    assert recompact("null") is None
    assert recompact(None) is None
    assert recompact("no json") == '"no json"'


def test_wrong_json_is_described_as_newtonsoft_would() -> None:
    assert json_error('{"a": 1}') == ""
    assert (
        json_error("plain") == "Unexpected character encountered while parsing value: p. Path '', line 0, position 0."
    )
    assert "Expected ':' but got: j. Path '', line 1, position 5." in json_error("{bad json")


def test_retries_back_off_and_the_last_waits_no_time() -> None:
    options = {
        "firstRetryIntervalInMilliseconds": 100,
        "maxNumberOfAttempts": 5,
        "backoffCoefficient": 2,
        "maxRetryIntervalInMilliseconds": 350,
    }
    delays = [retry_delay({"retryOptions": options}, attempt, 0) for attempt in range(1, 6)]
    assert delays == [100_000, 200_000, 350_000, 350_000, 0]


def test_names_are_found_without_case_and_after_late_registration() -> None:
    registered: dict[str, int] = {}
    names = Names(lambda: registered)
    assert not names.has("Chain")
    registered["Chain"] = 1
    assert names.find("cHAIN") == "Chain"


async def test_submissions_of_one_turn_share_a_commit_and_keep_their_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    store.open()
    for number in range(10):
        store.submit_nowait([("INSERT INTO inputs(instance_id, input) VALUES (?,?)", (f"i{number}", str(number)))])
    await store.submit([("UPDATE inputs SET input='last' WHERE instance_id='i9'", ())])
    assert store.commits == 1
    assert store.read("SELECT count(*), max(input) FROM inputs") == [(10, "last")]
    await store.close()


async def test_a_write_that_sqlite_refuses_fails_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    store.open()
    insert = "INSERT INTO inputs(instance_id, input) VALUES (?,?)"
    good = store.submit([(insert, ("a", "1"))])
    bad = store.submit([(insert, ("b", "2")), (insert, ("a", "again"))])
    after = store.submit([(insert, ("c", "3"))])
    with pytest.raises(sqlite3.IntegrityError):
        await bad
    await good
    await after
    assert store.read("SELECT instance_id FROM inputs ORDER BY 1") == [("a",), ("c",)], (
        "b was rolled back with its twin"
    )
    await store.close()


async def test_full_synchronous_commits_in_a_thread_and_as_safely(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db", "full")
    store.open()
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    insert = "INSERT INTO inputs(instance_id, input) VALUES (?,?)"
    futures = [store.submit([(insert, (str(number), ""))]) for number in range(5)]
    await futures[-1]
    assert store.read("SELECT count(*) FROM inputs") == [(5,)]
    store.submit_nowait([(insert, ("queued", ""))])
    await store.close()
    with sqlite3.connect(tmp_path / "s.db") as again:
        assert again.execute("SELECT count(*) FROM inputs").fetchone() == (6,)


async def test_the_log_is_folded_into_the_file_when_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions_host.durable.store.CHECKPOINT_SECONDS", 0.01)
    monkeypatch.setattr("functions_host.durable.store.LOG_LIMIT_BYTES", 100_000)
    store = Store(tmp_path / "s.db")
    store.open()
    insert = "INSERT OR REPLACE INTO inputs(instance_id, input) VALUES (?,?)"
    for number in range(60):
        await store.submit([(insert, (str(number % 3), "x" * 20_000))])
        await asyncio.sleep(0.002)
    for _ in range(200):
        if store._log_bytes() < 200_000:
            break
        await asyncio.sleep(0.01)
    assert store._log_bytes() < 200_000
    assert store.read("SELECT count(*) FROM inputs") == [(3,)]
    await store.close()


async def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "s.db") as later:
        later.execute("PRAGMA user_version=99")
    store = Store(tmp_path / "s.db")
    with pytest.raises(StartError, match=r"s\.db: its version is 99, this host reads those up to \d$"):
        store.open()
    store.abandon()


async def test_cancelled_timers_do_not_fire_and_do_not_pile_up() -> None:
    timers = Timers(Clock())
    timers.start()
    now = Clock().now()
    fired: list[int] = []
    kept = [timers.at(now + 20_000 + number, partial(fired.append, number)) for number in range(3)]
    for _ in range(1000):
        timers.at(now + 3_600_000_000, lambda: fired.append(-1)).cancel()
    kept[1].cancel()
    assert len(timers) == 2
    assert len(timers._heap) < 200
    for _ in range(500):
        if not len(timers):
            break
        await asyncio.sleep(0.002)
    assert fired == [0, 2]
    timers.stop()


async def test_a_store_closes_even_if_its_disk_refuses_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("functions_host.durable.store.CLOSE_SECONDS", 0.05)
    store = Store(tmp_path / "s.db")
    store.open()

    def refuse(_: str) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    store.before_write = refuse
    store.submit_nowait([("DELETE FROM inputs", ())])
    await store.close()
    assert "closed with 2 unwritten submission(s)" in caplog.text


async def test_a_store_has_one_engine_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = StoreLock(tmp_path / "lock")
    await first.acquire()
    second = StoreLock(tmp_path / "lock")
    monkeypatch.setattr("functions_host.durable.lock.WAIT_SECONDS", 0.1)
    with pytest.raises(StoreInUseError, match="another host works on"):
        await second.acquire()
    monkeypatch.setattr("functions_host.durable.lock.WAIT_SECONDS", 10)
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    first.release()
    await waiting
    second.release()
