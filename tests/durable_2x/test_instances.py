"""What an operator sees and steers, on 2.x: the same answers as on 1.x."""

from __future__ import annotations

from typing import Any

import pytest

from durable_sdk import instance_reader
from durable_sdk.instances import InstanceMissing, InstanceQuery, InstanceRefuses, InstanceRow
from pipeline.attempts import start
from pipeline.durable import InstanceStatus
from pipeline.intake import new_batch
from storage.sqlite import SqliteStore
from telemetry.envelope import pack
from tests.support.host_2x import Host
from tests.support.pipeline import delivery, message


async def ended(host: Host, store: SqliteStore, **activities: Any) -> str:
    """The instance of a batch that has come to its end."""
    deliveries = [delivery(1, message("a", 1))]
    batch = await store.ledger.receive(new_batch(deliveries), pack(deliveries))
    host.activities = activities
    await start(host.durable, batch)
    async with host.running():
        await host.ended(batch.instance_id)
        await host.idle()
    return batch.instance_id


async def listed(host: Host, **where: Any) -> list[InstanceRow]:
    rows, token = await instance_reader(host.client).page(InstanceQuery(**where), None)
    assert token is None
    return rows


async def test_a_history_is_shown_in_the_words_of_the_http_api(host: Host, store: SqliteStore) -> None:
    instance = await ended(host, store)
    found = await instance_reader(host.client).one(instance)
    assert found is not None
    assert (found.row.status, found.left_out) == (InstanceStatus.COMPLETED, 0)
    kinds = [event["EventType"] for event in found.history]
    assert (kinds[0], kinds[-1]) == ("ExecutionStarted", "ExecutionCompleted")
    steps = [event for event in found.history if event["EventType"] == "TaskCompleted"]
    assert steps[0]["FunctionName"] == "store_messages"
    assert steps[0]["Result"]["current"] is True
    assert all("ScheduledTime" in step for step in steps)
    assert found.history[-1]["OrchestrationStatus"] == "Completed"


@pytest.mark.usefixtures("quick_retries")
async def test_a_failed_one_says_why(host: Host, store: SqliteStore) -> None:
    def boom(_: Any) -> Any:
        raise OSError("disk full")

    instance = await ended(host, store, store_messages=boom)
    (row,) = await listed(host, statuses=frozenset({InstanceStatus.FAILED}))
    assert row.id == instance
    assert "disk full" in (row.error or "")
    found = await instance_reader(host.client).one(instance)
    assert found is not None
    assert "disk full" in next(event for event in found.history if event["EventType"] == "TaskFailed")["Reason"]


async def test_no_entity_is_listed_and_a_status_that_2x_has_not_is_nobodys(host: Host, store: SqliteStore) -> None:
    instance = await ended(host, store)
    assert [row.id for row in await listed(host)] == [instance]
    assert await listed(host, statuses=frozenset({InstanceStatus.CANCELED})) == []
    assert await listed(host, prefix="other") == []


async def test_it_is_steered_as_its_status_allows(host: Host, store: SqliteStore) -> None:
    instance = await ended(host, store)
    reader = instance_reader(host.client)
    with pytest.raises(InstanceRefuses, match="is Completed"):
        await reader.terminate(instance, "late")
    again = await reader.restart(instance)
    assert again != instance
    with pytest.raises(InstanceRefuses, match="is Pending"):
        await reader.purge(again)
    await reader.terminate(again, "enough")
    await reader.purge(instance)
    assert await reader.one(instance) is None
    for unknown in (instance, "@drone@a", "a/b"):
        with pytest.raises(InstanceMissing):
            await reader.suspend(unknown, "x")
