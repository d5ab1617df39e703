"""The Durable SDK, 1.x or 2.x: all in which the two differ for this app; nothing else knows which is there."""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df

from durable_sdk.instances import InstanceReader
from durable_sdk.pages import EntityPage, EntityReader, InvalidHostToken
from durable_sdk.writes import WRITES
from pipeline.durable import DurableClient

IS_2X = hasattr(df.DurableOrchestrationClient, "get_all_orchestration_states")
if IS_2X:
    from durable_sdk import v2 as _sdk
else:
    from durable_sdk import v1 as _sdk  # type: ignore[no-redef]

Blueprint: Any = _sdk.Blueprint
"""``df.Blueprint`` with all decorators that a function of any trigger needs."""

__all__ = [
    "IS_2X",
    "WRITES",
    "Blueprint",
    "EntityPage",
    "EntityReader",
    "InstanceReader",
    "InvalidHostToken",
    "durable_client",
    "entity_reader",
    "host_url",
    "instance_reader",
    "reason_of",
]


def durable_client(client: Any) -> DurableClient:
    """``client`` is what the durable client binding hands to a function."""
    return _sdk.Client(client)


def entity_reader(client: Any, name: str) -> EntityReader:
    """Reads entities of one name with the durable client that a function was handed."""
    return _sdk.Entities(client, name)


def instance_reader(client: Any) -> InstanceReader:
    """Reads and steers orchestrations with the durable client that a function was handed."""
    return _sdk.Instances(client)


def host_url(client: Any) -> str | None:
    """Scheme, host and port at which the host that called this function speaks HTTP; None where it does not."""
    return _sdk.host_url(client)


def reason_of(error: Exception) -> str:
    """What went wrong in an activity, in its own words, for the orchestrator that caught it, in 1,000 characters."""
    return _sdk.reason_of(error)[:1000]
