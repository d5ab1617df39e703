"""How deliveries become batches: cut into parts that one batch can hold, kept in the ledger, and started."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from observability import log, metrics
from pipeline.attempts import start
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.ports import Store, StoreUnavailable
from pipeline.records import UNFINISHED, Batch
from telemetry.encodings import is_packed
from telemetry.envelope import pack
from telemetry.identity import batch_id, instance_id
from telemetry.model import Delivery

_QUICK_RETRIES = AsyncRetrying(
    retry=retry_if_exception_type(StoreUnavailable),
    stop=stop_after_attempt(4),
    wait=wait_random_exponential(multiplier=0.05, max=1),
    before_sleep=lambda _: metrics.retried("receive"),
    reraise=True,
)

MAX_BATCH_WEIGHT = 4 * 1024 * 1024
"""Bytes of bodies in one batch; a compressed one counts as what it may unpack to."""
_PACKED_WEIGHT = 8


def parts_of(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """The deliveries in parts that one batch can hold: a few large bundles weigh as much as thousands of messages.

    Cut by what the events are and not by where the call began, as far as that goes; parts that overlap with those of
    another delivery do no harm.
    """
    parts: list[list[Delivery]] = [[]]
    weight = 0
    for delivery in deliveries:
        one = len(delivery.body) * (_PACKED_WEIGHT if is_packed(delivery.body, delivery.content_encoding) else 1)
        if parts[-1] and weight + one > MAX_BATCH_WEIGHT:
            parts.append([])
            weight = 0
        parts[-1].append(delivery)
        weight += one
    return parts


async def receive(store: Store, client: DurableClient, deliveries: Sequence[Delivery]) -> Batch:
    """Keep the deliveries of one partition (in order, at least one) as a batch and start it; gives the ledger's record.

    ``StoreUnavailable`` when the ledger cannot be written.
    """
    batch = new_batch(deliveries)
    raw = pack(deliveries)
    kept: Batch = await _QUICK_RETRIES(store.ledger.receive, batch, raw)
    if kept.received_at == batch.received_at:
        metrics.batch_received(kept.events)
        log(logging.INFO, "batch received", batchId=kept.id, instanceId=kept.instance_id, events=kept.events)
        await start(client, kept)
    elif kept.status in UNFINISHED:
        await _start_if_lost(client, kept)
    return kept


async def _start_if_lost(client: DurableClient, kept: Batch) -> None:
    """Delivered again while unfinished: the process may have ended between the ledger and the start.

    Only an instance that never was is started: one that has just ended would be replaced and run anew.
    """
    try:
        lost = await client.instance(kept.instance_id) is None
    except Exception as error:
        log(logging.WARNING, "status unknown; the sweeper will look", batchId=kept.id, error=str(error))
        return
    if lost:
        await start(client, kept)


def new_batch(deliveries: Sequence[Delivery]) -> Batch:
    """The ledger's first record of these deliveries."""
    first, last = deliveries[0], deliveries[-1]
    identity = batch_id(first.hub, first.partition, first.sequence_number, last.sequence_number, first.enqueued_at)
    received_at = now()
    return Batch(
        id=identity,
        hub=first.hub,
        partition=first.partition,
        first_sequence_number=first.sequence_number,
        last_sequence_number=last.sequence_number,
        events=len(deliveries),
        instance_id=instance_id(identity, 1),
        received_at=received_at,
        updated_at=received_at,
    )
