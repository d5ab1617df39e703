"""Step 3: keep the messages and the dead letters, and count what became of each message.

Every count is worked out from what the store holds, never from what this call happened to do, so that a second run
gives the same numbers. Any failure fails the step: a batch with a message that is neither stored nor dead-lettered
never completes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from activities.attempt import run_step
from activities.staging import DEAD_LETTERS, ENRICHED, read_staged
from observability import metrics
from pipeline.clock import now
from pipeline.ports import Conflict, Store
from pipeline.records import Batch, Counts, Outcome
from pipeline.steps import STORE, Findings, Reference, Result, counts_body
from telemetry.identity import dead_letter_id
from telemetry.model import DeadLetter, Message


async def store(store: Store, reference: Reference) -> Result:
    """Answers ``counts``."""

    async def work(batch: Batch) -> Findings:
        messages = await read_staged(store, batch, ENRICHED)
        letters = await read_staged(store, batch, DEAD_LETTERS)
        outcomes = await store.messages.put(messages, batch.id)
        replayed = await _replayed_already(store, batch, letters)
        letter_outcomes = await store.dead_letters.put(letters, batch.id)
        await _resolve_accepted(store, batch, messages)
        if replayed:  # each of them has told the ledger so, which must not take it up a second time
            await store.ledger.settle_recounts(batch.id, batch.instance_id, replayed)
        counts = count(outcomes, letters, letter_outcomes, replayed)
        metrics.batch_stored(messages, now())
        return {"counts": counts_body(counts)}

    return await run_step(store, reference, STORE, work)


def count(
    outcomes: Sequence[Outcome],
    letters: Sequence[DeadLetter],
    letter_outcomes: Sequence[Outcome],
    replayed: Collection[str],
) -> Counts:
    """``replayed``: ids of dead letters that a person has replayed meanwhile; their messages count as stored."""
    # Letters kept by an earlier version stand for one message each.
    weights = [letter.get("messages", 1) for letter in letters]
    of_letters = sum(weights)
    twice = sum(w for w, outcome in zip(weights, letter_outcomes, strict=True) if outcome is Outcome.DUPLICATE)
    again = sum(w for w, letter in zip(weights, letters, strict=True) if letter["id"] in replayed)
    return Counts(
        messages=len(outcomes) + of_letters,
        stored=outcomes.count(Outcome.STORED) + again,
        duplicates=outcomes.count(Outcome.DUPLICATE) + twice,
        rejected=of_letters - twice - again,
    )


async def _replayed_already(store: Store, batch: Batch, letters: Sequence[DeadLetter]) -> list[str]:
    if batch.attempts == 1 or not letters:
        return []
    known = await store.dead_letters.of_batch(batch.id, [letter["id"] for letter in letters])
    return [letter_id for letter_id, letter in known.items() if letter["status"] == "replayed"]


async def _resolve_accepted(store: Store, batch: Batch, messages: Sequence[Message]) -> None:
    """Dead letters of messages that an earlier attempt rejected under other settings, and that are accepted now.

    The messages are stored before that: a crash in between leaves an open letter, which the next run finds.
    """
    if batch.attempts == 1:
        return
    ids = []
    for message in messages:
        place = batch.hub, message["partition"], message["sequenceNumber"], message["enqueuedAt"]
        ids += [dead_letter_id(*place, message["index"]), dead_letter_id(*place, None)]
    known = await store.dead_letters.of_batch(batch.id, ids)
    at = now()
    for letter in known.values():
        if letter["status"] == "open":
            try:
                await store.dead_letters.resolve(letter["id"], "replayed", at=at)
            except Conflict:
                # A person has discarded it this very moment: that is kept, and the message is stored all the same.
                continue
