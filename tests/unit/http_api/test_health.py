"""Health: every part by name, nothing secret."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

import reference_data
from durable_sdk.writes import WAITING_SECONDS, Writes
from http_api import health
from pipeline.ports import StoreUnavailable
from storage.sqlite import SqliteStore
from tests.support.extension import Extension
from tests.support.http_client import Client, FakeHub

HEALTHY = {"status": "healthy"}


async def test_all_parts_are_healthy(ask: Client) -> None:
    answer = await ask.get("/api/health")
    assert answer.status == 200
    assert answer.json() == {
        "status": "healthy",
        "parts": dict.fromkeys(("store", "durable", "eventHub", "zones", "registry"), HEALTHY),
    }


async def test_an_unhealthy_hub_is_503_and_named(ask: Client, hub: FakeHub) -> None:
    hub.down = True
    answer = await ask.get("/api/health")
    assert answer.status == 503
    assert answer.json() == {
        "status": "unhealthy",
        "parts": {
            "store": HEALTHY,
            "durable": HEALTHY,
            "eventHub": {"status": "unhealthy", "detail": "cannot be reached"},
            "zones": HEALTHY,
            "registry": HEALTHY,
        },
    }


async def test_an_unhealthy_extension_is_named_without_its_address(ask: Client, extension: Extension) -> None:
    extension.down = True
    answer = await ask.get("/api/health")
    assert answer.json()["parts"]["durable"] == {"status": "unhealthy", "detail": "cannot be reached"}
    assert b"127.0.0.1" not in answer.body


async def test_a_store_says_what_is_wrong(ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full() -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(store, "health", full)
    assert (await ask.get("/api/health")).json()["parts"]["store"] == {
        "status": "unhealthy",
        "detail": "the disk is full",
    }


async def test_an_unknown_failure_is_not_told_to_everybody(
    ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leaks() -> None:
        raise RuntimeError("AccountKey=SECRET")

    monkeypatch.setattr(store, "health", leaks)
    answer = await ask.get("/api/health")
    assert answer.status == 503
    assert b"SECRET" not in answer.body


async def test_a_part_that_hangs_is_unhealthy(ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "DEADLINE_SECONDS", 0.01)
    monkeypatch.setattr(store, "health", asyncio.Event().wait)
    answer = await ask.get("/api/health")
    assert "no answer within" in answer.json()["parts"]["store"]["detail"]


async def test_however_often_it_is_asked_the_parts_are_asked_once_in_a_while() -> None:
    time, asked = 0.0, 0

    async def check() -> None:
        nonlocal asked
        asked += 1

    checkup = health.Checkup(clock=lambda: time)
    await checkup.parts({"store": check})
    await checkup.parts({"store": check})
    assert asked == 1
    time = health.FRESH_SECONDS
    await checkup.parts({"store": check})
    assert asked == 2


async def test_no_path_is_shown_to_everybody(ask: Client, store: SqliteStore, tmp_path: Path) -> None:
    def full(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreUnavailable, match=str(tmp_path)):
        await store.database.write(full)
    await store.close()
    answer = await ask.get("/api/health")
    assert answer.status == 503
    assert answer.json()["parts"]["store"]["detail"].startswith("store: ")
    assert str(tmp_path).encode() not in answer.body


async def part(ask: Client, monkeypatch: pytest.MonkeyPatch, name: str) -> dict[str, str]:
    monkeypatch.setattr(health, "_checkup", health.Checkup())
    found: dict[str, str] = (await ask.get("/api/health")).json()["parts"][name]
    return found


async def test_a_hub_that_refuses_what_is_sent_is_told_until_it_takes_some(
    ask: Client, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.refused = "EventDataSendError"
    said = await part(ask, monkeypatch, "eventHub")
    assert said["status"] == "degraded"
    assert "EventDataSendError" in said["detail"]
    hub.refused = None
    assert await part(ask, monkeypatch, "eventHub") == HEALTHY


async def test_an_engine_that_answers_but_takes_nothing_is_told(ask: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    writes = Writes(lambda: now)
    monkeypatch.setattr(health, "WRITES", writes)
    with pytest.raises(OSError, match="full"), writes.one():
        raise OSError("the disk is full")
    said = await part(ask, monkeypatch, "durable")
    assert (said["status"], "OSError" in said["detail"]) == ("degraded", True)
    with writes.one():
        now += WAITING_SECONDS - 1
        assert (await part(ask, monkeypatch, "durable"))["status"] == "degraded"
        now += 1
        said = await part(ask, monkeypatch, "durable")
        assert (said["status"], said["detail"]) == ("unhealthy", "a start or a signal has waited for 10 s")
    assert await part(ask, monkeypatch, "durable") == HEALTHY


@pytest.mark.parametrize(("name", "setting"), [("zones", "ZONES_FILE"), ("registry", "REGISTRY_FILE")])
async def test_a_broken_file_is_degraded_with_the_reason(
    ask: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, setting: str
) -> None:
    monkeypatch.setattr("reference_data.CHECK_SECONDS", 0)
    good = (tmp_path / setting).read_text()
    (tmp_path / setting).write_text('{"type": "FeatureCollection", "features": 7, "drones": 7}')
    reference_data._files.cache_clear()
    said = await part(ask, monkeypatch, name)
    assert said["status"] == "degraded"
    assert "nothing is in force" in said["detail"]
    assert str(tmp_path) not in said["detail"]
    for watched in reference_data._files():
        watched._check_seconds = 0
    reference_data.get_reference_data()
    (tmp_path / setting).write_text(good)
    for watched in reference_data._files():
        watched._next_check = 0
    assert await part(ask, monkeypatch, name) == HEALTHY
    (tmp_path / setting).unlink()
    said = await part(ask, monkeypatch, name)
    assert (said["status"], "the last good content stays in force" in said["detail"]) == ("degraded", True)


async def test_the_local_hosts_own_hub_is_told_of_without_its_path(ask: Client, extension: Extension) -> None:
    extension.host_errors = [
        "the local Event Hubs: writes fail: the log of hub telemetry partition 0 cannot be written: "
        "[Errno 28] No space left on device: '/home/ann/hub/0.log'",
        "the durable engine cannot write: disk full",
    ]
    answer = await ask.get("/api/health")
    part = answer.json()["parts"]["eventHub"]
    assert (answer.status, part["status"]) == (200, "degraded")
    assert part["detail"].startswith("the local Event Hubs: writes fail: the log of hub telemetry partition 0")
    assert "[Errno 28] No space left on device" in part["detail"]
    assert "home" not in part["detail"]
    assert ".log" not in part["detail"]


@pytest.mark.parametrize("answer", [(401, {}), (404, None), (200, []), (200, {"errors": "x"}), (200, {"errors": [7]})])
async def test_a_host_that_says_nothing_of_its_parts_is_no_error(
    ask: Client, extension: Extension, answer: tuple[int, object]
) -> None:
    extension.host_status = answer
    assert (await ask.get("/api/health")).json()["parts"]["eventHub"] == HEALTHY
