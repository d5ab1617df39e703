"""What the store step keeps: from the raw bytes to dead letters and to messages with what the registry and the zones
know of them.

Not a step of its own, for it changes nothing that lasts but the copy for the steps to come (``activities.staging``).
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence

from activities.staging import THE_ONLY, Prepared, hold, numbered, write_page, write_page_number
from observability import log, metrics
from pipeline.clock import now
from pipeline.ports import Store
from pipeline.records import Batch
from reference_data import ReferenceData
from telemetry.enrichment import enrich
from telemetry.envelope import unpack
from telemetry.model import DeadLetter
from telemetry.rules import Rules
from telemetry.validation import validate_in_pages

LOGGED_REJECTIONS = 10
PAGE_SIZE = 5_000
"""Messages and letters that are in memory at once; one event may add its 10,000."""


class RawBytesMissing(Exception):
    """The ledger has the batch, but no longer its bytes."""


async def prepare(
    store: Store,
    batch: Batch,
    rules: Rules,
    known: ReferenceData,
    *,
    page_size: int = PAGE_SIZE,
    in_memory: bool = False,
) -> None:
    """Stages the batch. ``in_memory``: this process runs the other step too, so a batch of one page that finds room is
    only remembered."""
    raw = await store.ledger.raw(batch.id)
    if raw is None:
        raise RawBytesMissing(f"batch {batch.id}: its raw bytes are gone")
    pages = validate_in_pages(unpack(raw), rules, batch.id, now(), page_size)
    page = next(pages)
    for number in itertools.count():
        following = next(pages, None)
        for letter in page.dead_letters:
            letter["attempts"] = batch.attempts
        _log_rejected(batch, page.dead_letters)
        metrics.batch_validated(batch.events if number == 0 else 0, page.messages, page.dead_letters)
        enrich(page.messages, known.registry, known.zones, rules)
        prepared = Prepared(page.messages, page.dead_letters)
        if number == 0 and following is None:
            if not (in_memory and hold(store, batch, prepared)):
                await write_page(store, batch, THE_ONLY, prepared)
            break
        await write_page(store, batch, numbered(number), prepared)
        if following is None:  # what a batch becomes may be too much for memory
            await write_page_number(store, batch, number + 1)
            break
        page = following


def _log_rejected(batch: Batch, letters: Sequence[DeadLetter]) -> None:
    """The first few in full: a gateway gone wrong must not fill the log with what the dead letters say anyway."""
    for letter in letters[:LOGGED_REJECTIONS]:
        log(
            logging.INFO,
            "message rejected",
            batchId=batch.id,
            instanceId=batch.instance_id,
            deadLetterId=letter["id"],
            deviceId=letter["deviceId"],
            codes=sorted({error["code"] for error in letter["errors"]}),
        )
    if len(letters) > LOGGED_REJECTIONS:
        log(logging.INFO, "more messages rejected", batchId=batch.id, number=len(letters) - LOGGED_REJECTIONS)
