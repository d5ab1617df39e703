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
from telemetry.decoding import MAX_MESSAGES
from telemetry.encodings import GZIP_MAGIC, MAX_UNPACKED_BYTES, is_packed
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

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""Bytes of bodies in one batch; a packed one counts as what it unpacks to."""
MAX_BATCH_MESSAGES = 20_000
"""Messages that the events of one batch may hold, by what their bodies look like."""
_PACKED_RATIO = 8
_LEAST_MESSAGE = 64
_COMMAS_PER_OBJECT = 64


def parts_of(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """The deliveries in parts that one batch can hold: a few large bundles weigh as much as thousands of messages.

    Cut by what the events are and not by where the call began, as far as that goes; parts that overlap with those of
    another delivery do no harm. An event that lies about itself makes a part heavy, which costs time: the steps hold
    only a page of it in memory.
    """
    parts: list[list[Delivery]] = [[]]
    size = messages = 0
    for delivery in deliveries:
        its_size, its_messages = weight(delivery)
        if parts[-1] and (size + its_size > MAX_BATCH_BYTES or messages + its_messages > MAX_BATCH_MESSAGES):
            parts.append([])
            size = messages = 0
        parts[-1].append(delivery)
        size += its_size
        messages += its_messages
    return parts


def weight(delivery: Delivery) -> tuple[int, int]:
    """Bytes and messages that the event may become, at a glance: nothing is unpacked or parsed here."""
    body = delivery.body
    if is_packed(body, delivery.content_encoding):
        unpacked = len(body) * _PACKED_RATIO
        if body[:2] == GZIP_MAGIC:  # ends in the size of what is packed
            unpacked = max(unpacked, min(int.from_bytes(body[-4:], "little"), MAX_UNPACKED_BYTES))
        return unpacked, min(MAX_MESSAGES, 1 + unpacked // _LEAST_MESSAGE)
    if body[:64].lstrip()[:1] != b"[":
        return len(body), 1
    # As many as there are objects; where these are too few for the commas, the elements are something else.
    objects, commas = body.count(b"{"), body.count(b",")
    return len(body), min(MAX_MESSAGES, objects if commas <= objects * _COMMAS_PER_OBJECT else commas + 1)


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
