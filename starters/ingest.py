"""The Event Hubs trigger: a batch goes into the ledger first, then its orchestration is started.

Nothing is decoded here: whatever the bodies are, they are kept, and no wrong message ever holds its partition. The only
thing that does is a ledger that cannot be written: the host checkpoints a batch whether the function failed or not, so
the function must not give up before the batch is kept. First a few quick attempts, then it raises, and the function's
retry policy pauses the partition and calls again, indefinitely.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

from typing import List  # noqa: UP035

import azure.durable_functions as df
import azure.functions as func

from durable_sdk import Blueprint, durable_client
from event_hub.deliveries import deliveries_of
from pipeline.intake import parts_of, receive
from pipeline.pace import Pace
from settings import get_settings
from storage.factory import get_store

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
