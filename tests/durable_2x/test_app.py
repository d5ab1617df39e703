"""The app as a whole on 2.x: events in, drones and batches out, by its own triggers and routes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.functions import meta

from event_hub import sending
from http_api import counting, health, stats
from pipeline.intake import new_batch
from pipeline.ports import BatchFilter
from pipeline.records import BatchStatus
from storage.sqlite import SqliteStore
from telemetry.envelope import pack
from tests.support.host_2x import Host
from tests.support.pipeline import all_letters, all_messages, delivery, message

_EVENT_HUB: Any = meta._ConverterMeta.get("eventHubTrigger")


def events(*bodies: Any, first: int = 1) -> list[func.EventHubEvent]:
    """One delivery of partition 0, decoded as the worker does it."""
    at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    system = [
        {"SequenceNumber": first + i, "Offset": str(100 * (first + i)), "EnqueuedTimeUtc": at, "PartitionKey": None}
        for i in range(len(bodies))
    ]
    metadata = {
        "PartitionContext": meta.Datum(json.dumps({"PartitionId": "0", "ConsumerGroup": "g"}), "json"),
        "SystemPropertiesArray": meta.Datum(json.dumps(system), "json"),
        "PropertiesArray": meta.Datum(json.dumps([{} for _ in bodies]), "json"),
    }
    raw = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
    decoded: list[func.EventHubEvent] = _EVENT_HUB.decode(
        meta.Datum(SimpleNamespace(bytes=raw), "collection_bytes"), trigger_metadata=metadata
    )
    return decoded


async def get(host: Host, name: str, url: str, method: str = "GET", body: bytes = b"", **route: str) -> Any:
    headers = {"content-type": "application/json"} if body else {}
    request = func.HttpRequest(method, "http://localhost:7071" + url, headers=headers, route_params=route, body=body)
    return await host.call(name, req=request)


def body_of(response: Any) -> Any:
    return json.loads(response.get_body())


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hub:
        refused = None

        async def partitions(self) -> list[Any]:
            return []

    monkeypatch.setattr(health, "_checkup", health.Checkup())
    monkeypatch.setattr(stats, "_drones", counting.DroneCounter())
    monkeypatch.setattr(health, "get_hub", Hub)
    monkeypatch.setattr(sending, "get_hub", Hub)


async def test_events_become_messages_drones_and_a_batch(host: Host, store: SqliteStore) -> None:
    async with host.running():
        await host.call(
            "ingest",
            events=events(message("a", 1, battery=0.9), message("b", 1), b"no telemetry", message("a", 3, battery=0.5)),
        )
        [batch] = (await store.ledger.list(BatchFilter(), 10, None)).items
        await host.ended(batch.instance_id)
        # A second delivery that is older than what is known changes no register.
        await host.call("ingest", events=events(message("a", 2, battery=0.7), first=9))
        for other in (await store.ledger.list(BatchFilter(), 10, None)).items:
            await host.ended(other.instance_id)
        await host.idle()

        drone = body_of(await get(host, "get_drone", "/api/drones/a", id="a"))
        fleet = body_of(await get(host, "list_drones", "/api/drones"))
        numbers = body_of(await get(host, "get_stats", "/api/stats"))
        healthy = await get(host, "get_health", "/api/health")
        missing = await get(host, "get_drone", "/api/drones/nobody", id="nobody")
    assert drone["id"] == "a"
    assert drone["battery"] == 0.5
    assert [one["id"] for one in fleet["items"]] == ["a", "b"]
    assert (numbers["drones"], numbers["stored"], numbers["rejected"]) == (2, 4, 1)
    assert numbers["batches"]["completed"] == 2
    assert (healthy.status_code, missing.status_code) == (200, 404)
    assert len((await all_messages(store, ["a"]))["a"]) == 3
    assert len(await all_letters(store)) == 1


async def test_a_batch_is_replayed_by_its_route_and_its_links_show_no_key(host: Host, store: SqliteStore) -> None:
    async with host.running():
        await host.call("ingest", events=events(message("a", 1)))
        [batch] = (await store.ledger.list(BatchFilter(), 10, None)).items
        await host.ended(batch.instance_id)
        response = await get(host, "replay_one_batch", "/api/batches/x/replay", "POST", b"{}", id=batch.id)
        links = body_of(response)
        assert response.status_code == 202
        await host.ended(links["id"])
    again = await store.ledger.get(batch.id)
    assert again is not None
    assert (again.status, again.attempts, again.instance_id) == (BatchStatus.COMPLETED, 2, links["id"])
    assert links["statusQueryGetUri"].startswith("http://localhost:7071/runtime/webhooks/durabletask/instances/")
    assert "TASKHUBSECRET" not in response.get_body().decode()


async def test_the_timers_do_their_work(host: Host, store: SqliteStore) -> None:
    long_ago = "2020-01-01T00:00:00.000000Z"
    deliveries = [delivery(1, message("a", 1))]
    lost = replace(new_batch(deliveries), received_at=long_ago, updated_at=long_ago)
    await store.ledger.receive(lost, pack(deliveries))
    async with host.running():
        await host.call("sweeper", timer=None)
        await host.ended(lost.instance_id)
        started = await store.ledger.get(lost.id)
        assert started is not None
        assert (started.status, started.attempts) == (BatchStatus.COMPLETED, 1)
        old = await store.messages.history("a", None, None, ascending=True, limit=1, continuation=None)
        assert len(old.items) == 1
        await host.call("purger", timer=None)
    # Its message is older than any retention; the batch has completed just now, and stays.
    gone = await store.messages.history("a", None, None, ascending=True, limit=1, continuation=None)
    assert gone.items == []
    assert await store.ledger.get(lost.id) is not None


async def test_an_engine_that_is_away_is_said_so(host: Host) -> None:
    host.backend.stop()
    drone = await get(host, "get_drone", "/api/drones/a", id="a")
    healthy = await get(host, "get_health", "/api/health")
    assert (drone.status_code, healthy.status_code) == (503, 503)
    assert body_of(healthy)["parts"]["durable"]["status"] == "unhealthy"
