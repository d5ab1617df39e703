"""Step 1: from the raw bytes to accepted messages and dead letters."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from activities.attempt import run_step
from activities.staging import DEAD_LETTERS, MESSAGES, write_staged
from observability import log, metrics
from pipeline.clock import now
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.steps import VALIDATE, Findings, Reference, Result
from telemetry.envelope import unpack
from telemetry.model import DeadLetter
from telemetry.rules import Rules
from telemetry.validation import validate_batch

LOGGED_REJECTIONS = 10


class RawBytesMissing(Exception):
    """The ledger has the batch, but no longer its bytes."""


async def validate(store: Store, reference: Reference, rules: Rules) -> Result:
    """Stages ``messages`` and ``dead_letters``; answers their numbers."""

    async def work(batch: Batch) -> Findings:
        raw = await store.ledger.raw(batch.id)
        if raw is None:
            raise RawBytesMissing(f"batch {batch.id}: its raw bytes are gone")
        validated = validate_batch(unpack(raw), rules, batch.id, now())
        for letter in validated.dead_letters:
            letter["attempts"] = batch.attempts
        _log_rejected(batch, validated.dead_letters)
        metrics.batch_validated(batch.events, validated.messages, validated.dead_letters)
        found: Findings = {"accepted": len(validated.messages), "rejected": validated.rejected}
        await write_staged(store, batch, MESSAGES, validated.messages)
        await write_staged(store, batch, DEAD_LETTERS, validated.dead_letters)
        return found

    return await run_step(store, reference, VALIDATE, work)


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
