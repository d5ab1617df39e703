"""Step 1: from the raw bytes to accepted messages and dead letters."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence

from activities.attempt import run_step
from activities.staging import DEAD_LETTERS, MESSAGES, write_page, write_page_number, write_staged
from observability import log, metrics
from pipeline.clock import now
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.steps import VALIDATE, Findings, Reference, Result
from telemetry.envelope import unpack
from telemetry.model import DeadLetter
from telemetry.rules import Rules
from telemetry.validation import Validated, validate_in_pages

LOGGED_REJECTIONS = 10
PAGE_SIZE = 5_000
"""Messages and letters that are in memory at once; one event may add its 10,000."""


class RawBytesMissing(Exception):
    """The ledger has the batch, but no longer its bytes."""


async def validate(store: Store, reference: Reference, rules: Rules, page_size: int = PAGE_SIZE) -> Result:
    """Stages ``messages`` and ``dead_letters``; answers their numbers."""

    async def work(batch: Batch) -> Findings:
        raw = await store.ledger.raw(batch.id)
        if raw is None:
            raise RawBytesMissing(f"batch {batch.id}: its raw bytes are gone")
        pages = validate_in_pages(unpack(raw), rules, batch.id, now(), page_size)
        return await _stage(store, batch, pages)

    return await run_step(store, reference, VALIDATE, work)


async def _stage(store: Store, batch: Batch, pages: Iterator[Validated]) -> Findings:
    """One document of each kind, or pages and how many there are: what a batch becomes may be too much for memory."""
    found: Findings = {"accepted": 0, "rejected": 0}
    page = next(pages)
    for number in itertools.count():
        following = next(pages, None)
        found["accepted"] += len(page.messages)
        found["rejected"] += page.rejected
        for letter in page.dead_letters:
            letter["attempts"] = batch.attempts
        _log_rejected(batch, page.dead_letters)
        metrics.batch_validated(batch.events if number == 0 else 0, page.messages, page.dead_letters)
        for name, documents in ((MESSAGES, page.messages), (DEAD_LETTERS, page.dead_letters)):
            if number == 0 and following is None:
                await write_staged(store, batch, name, documents)
                continue
            await write_page(store, batch, name, number, documents)
            if following is None:
                await write_page_number(store, batch, name, number + 1)
        if following is None:
            break
        page = following
    return found


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
