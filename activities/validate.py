"""Step 1: from the raw bytes to accepted messages and dead letters."""

from __future__ import annotations

from activities.attempt import DEAD_LETTERS, MESSAGES, Reference, Result, run_step, write_staged
from observability import metrics
from starters.clock import now
from storage.ports import Batch, Store
from telemetry.envelope import unpack
from telemetry.rules import Rules
from telemetry.validation import validate_batch


class RawBytesMissing(Exception):
    """The ledger has the batch, but no longer its bytes."""


async def validate(store: Store, reference: Reference, rules: Rules) -> Result:
    """Stages ``messages`` and ``dead_letters``; answers their numbers."""

    async def work(batch: Batch) -> Result:
        raw = await store.ledger.raw(batch.id)
        if raw is None:
            raise RawBytesMissing(f"batch {batch.id}: its raw bytes are gone")
        validated = validate_batch(unpack(raw), rules, batch.id, now())
        for letter in validated.dead_letters:
            letter["attempts"] = batch.attempts
        await write_staged(store, batch, MESSAGES, validated.messages)
        await write_staged(store, batch, DEAD_LETTERS, validated.dead_letters)
        metrics.batch_validated(batch.events, validated.messages, validated.dead_letters)
        return {"accepted": len(validated.messages), "rejected": len(validated.dead_letters)}

    return await run_step(store, reference, "validate", work)
