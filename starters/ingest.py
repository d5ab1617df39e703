"""The Event Hubs trigger: a batch goes into the ledger first, then its orchestration is started.

Nothing is decoded here: whatever the bodies are, they are kept, and no wrong message ever holds its partition. The only
thing that does is a ledger that cannot be written: the host checkpoints a batch whether the function failed or not, so
the function must not give up before the batch is kept. First a few quick attempts, then it raises, and the function's
retry policy pauses the partition and calls again, indefinitely.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from itertools import zip_longest
from typing import Any, List  # noqa: UP035

import azure.durable_functions as df
import azure.functions as func

from durable_sdk import Blueprint, durable_client
from pipeline.intake import parts_of, receive
from pipeline.pace import Pace
from settings import get_settings
from storage.factory import get_store
from telemetry.context import content_of, context_of
from telemetry.model import Delivery
from telemetry.times import from_datetime

blueprint = Blueprint()

_PACE = Pace()


@blueprint.function_name("ingest")
@blueprint.event_hub_message_trigger(
    arg_name="events",
    connection="EventHubConnection",
    event_hub_name=get_settings().event_hub_name,
    consumer_group=get_settings().event_hub_consumer_group,
    cardinality=func.Cardinality.MANY,
    data_type=func.DataType.BINARY,
)
@blueprint.retry(
    strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:01", maximum_interval="00:00:30"
)
@blueprint.durable_client_input(client_name="client")
# List, not list: the worker's check of annotations does not know builtin generics, and refuses the function.
async def ingest(events: List[func.EventHubEvent], client: df.DurableOrchestrationClient) -> None:  # noqa: UP006
    if events:
        store, durable = await get_store(), durable_client(client)
        for part in parts_of(deliveries_of(events, get_settings().event_hub_name)):
            batch = await receive(store, durable, part)
        await _PACE.hold(store.ledger, batch)


def deliveries_of(events: Sequence[func.EventHubEvent], hub: str) -> list[Delivery]:
    """The events of one trigger call as deliveries. What belongs to all of them stands in the first one's metadata."""
    metadata = _metadata(events[0])
    partition = str(_parsed(metadata.get("PartitionContext"), {}).get("PartitionId", "unknown"))
    system = _parsed(metadata.get("SystemPropertiesArray"), [])
    custom = _parsed(metadata.get("PropertiesArray"), [])
    received = datetime.now(timezone.utc)
    deliveries = []
    for event, its_system, its_custom in zip_longest(events, system[: len(events)], custom[: len(events)]):
        content_type, content_encoding = content_of(its_custom, its_system)
        deliveries.append(
            Delivery(
                hub,
                partition,
                int(event.sequence_number or 0),
                str(event.offset or ""),
                _canonical(event.enqueued_time or received),
                event.get_body(),
                content_type,
                content_encoding,
                context_of(event.partition_key, its_custom, its_system),
            )
        )
    return deliveries


_WANTED = ("PartitionContext", "SystemPropertiesArray", "PropertiesArray")


def _metadata(event: func.EventHubEvent) -> Mapping[str, Any]:
    """The metadata that is used here. ``event.metadata`` would convert all of it, which costs more than the rest."""
    raw = getattr(event, "_EventHubEvent__trigger_metadata", None)
    if raw is None:
        return event.metadata or {}
    return {name: raw[name].python_value for name in _WANTED if name in raw}


def _parsed(value: Any, otherwise: Any) -> Any:
    """Hosts hand metadata over as JSON text or already parsed."""
    value = json.loads(value) if isinstance(value, (str, bytes)) else value
    return value if isinstance(value, type(otherwise)) else otherwise


def _canonical(moment: datetime) -> str:
    if moment.tzinfo is timezone.utc:
        return moment.isoformat(timespec="microseconds")[:26] + "Z"
    return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc))
