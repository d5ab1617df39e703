"""A lost store: told, and what the hub still has comes back, through the routes and a real local hub."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from event_hub import watch
from http_api import health
from pipeline.coverage import QUIET_SECONDS, HubPartition, Watch
from storage.sqlite import SqliteStore
from tests.support.http_client import Client, FakeHub
from tests.support.records import batch

URL = "/api/recovery"


async def test_what_never_came_is_listed_by_partition(ask: Client, hub: FakeHub, store: SqliteStore) -> None:
    hub.holds = [HubPartition("0", 5, 29), HubPartition("1", 0, -1)]
    await store.ledger.receive(batch("b", first_sequence_number=10, last_sequence_number=19), b"raw")
    assert (await ask.get(URL)).json() == {
        "partitions": [
            {
                "partition": "0",
                "oldest": 5,
                "newest": 29,
                "missing": [{"first": 5, "last": 9}, {"first": 20, "last": 29}],
                "events": 15,
            },
            {"partition": "1", "oldest": 0, "newest": -1, "missing": [], "events": 0},
        ],
        "events": 15,
    }


async def test_health_is_degraded_and_the_log_loud_while_events_are_missing(
    ask: Client,
    hub: FakeHub,
    store: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    monkeypatch.setattr(watch, "_watch", Watch(lambda: now))
    hub.holds = [HubPartition("0", 0, 4999)]
    assert (await ask.get("/api/health")).json()["status"] == "healthy"  # they may be on their way
    now = QUIET_SECONDS
    for _ in range(2):
        monkeypatch.setattr(health, "_checkup", health.Checkup())
        answer = await ask.get("/api/health")
    assert (answer.status, answer.json()["status"]) == (200, "degraded")
    assert "5000 events" in answer.json()["parts"]["eventHub"]["detail"]
    assert "telemetry_admin recover" in answer.json()["parts"]["eventHub"]["detail"]
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 1
    await store.ledger.receive(batch("b", first_sequence_number=0, last_sequence_number=4999), b"raw")
    monkeypatch.setattr(health, "_checkup", health.Checkup())
    assert (await ask.get("/api/health")).json()["status"] == "healthy"


async def test_what_retention_took_is_told_once(
    ask: Client, hub: FakeHub, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hub.holds = [HubPartition("0", 50, 49)]
    await store.ledger.receive(batch("b", first_sequence_number=10, last_sequence_number=19), b"raw")
    for _ in range(2):
        monkeypatch.setattr(health, "_checkup", health.Checkup())
        assert (await ask.get("/api/health")).json()["status"] == "healthy"
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert '"first":20,"last":49,"events":30' in told


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "partition"),
        ({"partition": "0"}, "first"),
        ({"partition": "0", "first": 1, "last": 0}, "last"),
        ({"partition": "0", "first": -1, "last": 0}, "first"),
        ({"partition": "0", "first": 0, "last": 1e20}, "last"),
        ({"partition": 0, "first": 0, "last": 1}, "partition"),
        ({"partition": "7", "first": 0, "last": 1}, "partition"),
    ],
)
async def test_a_wrong_stretch_is_named(ask: Client, body: Any, field: str) -> None:
    answer = await ask.post(URL, body)
    assert answer.status == 400
    assert field in answer.json()["detail"]


async def test_a_hub_that_is_away(ask: Client, hub: FakeHub) -> None:
    hub.down = True
    assert (await ask.get(URL)).status == 503
    assert (await ask.post(URL, {"partition": "0", "first": 0, "last": 1})).status == 503
