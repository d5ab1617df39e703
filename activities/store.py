"""Step 1: judge the messages (``activities.prepare``), keep them and the dead letters, and count what became of each.

Every count is worked out from what the store holds, never from what this call happened to do, so that a second run
gives the same numbers. Any failure fails the step: a batch with a message that is neither stored nor dead-lettered
never completes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from activities.attempt import run_step
from activities.staging import Page, Prepare, Prepared, pages_of, read_page, write_page
from observability import metrics
from pipeline.clock import now
from pipeline.many import for_each
from pipeline.ports import Store
from pipeline.reconciling import by_event, reconcile, slot_of, to_claim
from pipeline.records import Batch, Counts, Outcome, Purged, Slot, Standing
from pipeline.steps import STORE, Findings, Reference, Result, counts_body
from telemetry.model import DeadLetter, Message
from telemetry.vocabulary import OPEN, REPLAYED

LETTERS_AT_ONCE = 16
NOTHING = Counts(0, 0, 0, 0)


async def store(store: Store, reference: Reference, prepare: Prepare) -> Result:
    """Answers ``counts`` and the number of ``drones``."""

    async def work(batch: Batch) -> Findings:
        purged = await _purged(store, batch)
        if batch.stage_before is None:  # there is nothing yet to be found
            await prepare(batch)
        pages, anew = await pages_of(store, batch, prepare)
        drones: set[str] = set()
        # Where an earlier run may have stored something, it may have done so of other pages than those that are there
        # now: they may have been made anew, under other rules, by this run or by one in between.
        first_time = batch.attempts == 1 and batch.stage_before != STORE.stage and not anew and not purged
        counts = await _keep(store, batch, pages, drones) if first_time else None
        if counts is None:
            drones.clear()
            counts = await _keep_again(store, batch, pages, purged, drones)
        return {"counts": counts_body(counts), "drones": len(drones)}

    return await run_step(store, reference, STORE, work)


async def pages_as_stored(store: Store, batch: Batch, prepare: Prepare) -> list[Page]:
    """The pages for the steps behind this one. Where they are made anew, by this run of such a step or by one before,
    what is accepted may be something else than what this step has stored: then the two are brought together first."""
    pages, anew = await pages_of(store, batch, prepare)
    if anew or batch.stage_before == batch.stage:
        await _keep_again(store, batch, pages, await _purged(store, batch), set())
    return pages


async def _purged(store: Store, batch: Batch) -> Sequence[Purged]:
    return await store.ledger.purged(
        batch.hub, batch.partition, batch.first_sequence_number, batch.last_sequence_number
    )


async def _keep(store: Store, batch: Batch, pages: Sequence[Page], drones: set[str]) -> Counts | None:
    """None when somebody has taken up one of the letters meanwhile: this has run before. Adds to ``drones`` those that
    the batch is about."""
    counts = NOTHING
    for page in pages:
        prepared = await read_page(store, batch, page)
        messages, letters = prepared.messages, prepared.letters
        outcomes = await store.messages.put(messages, batch.id)
        letter_outcomes = await store.dead_letters.put(letters, batch.id)
        if Outcome.SETTLED in letter_outcomes:
            return None
        counts = plus(counts, count(outcomes, letters, letter_outcomes))
        drones.update(message["deviceId"] for message in messages)
        metrics.batch_stored(messages, now())
    return counts


async def _keep_again(
    store: Store, batch: Batch, pages: Sequence[Page], purged: Sequence[Purged], drones: set[str]
) -> Counts:
    """The same where an earlier run has left something, where people may be replaying letters at this moment, and
    where the hub delivers again what was ``purged``."""
    left = by_event(await store.dead_letters.of_batch(batch.id))
    counts = NOTHING
    replayed: list[str] = []
    claimed: list[str] = []
    for page in pages:
        prepared = await read_page(store, batch, page)
        messages, letters = prepared.messages, prepared.letters
        events = {one["sequenceNumber"] for one in (*messages, *letters)}
        standing = [one for number in events & set(left) for one in left.pop(number)]
        if page == pages[-1]:  # and what events left that say nothing any more
            standing += [one for some in left.values() for one in some]
        held = await store.dead_letters.claim(to_claim(messages, standing), now())
        # Between the two calls one may have been discarded, corrected, or replayed by somebody else.
        standing = [_as_it_stands(one, held[one.id].letter) if one.id in held else one for one in standing]
        mine = [one.id for one in standing if one.id in held and one.status == OPEN and one.corrected is None]
        times = [one["enqueuedAt"] for one in (*messages, *letters)] + [one.enqueued_at for one in standing]
        # After the letters: of a letter that is replayed between the two, the replay itself tells the ledger.
        written = await store.messages.written_by(batch.id, min(times), max(times)) if times else set()
        if len(pages) > 1:  # events enqueued at once may be of two pages
            known = events | {one.sequence_number for one in standing}
            written = {slot for slot in written if slot[0] in known}
        plan = reconcile(messages, letters, standing, written, mine, ran_before=batch.counts is not None, purged=purged)
        stored = await _stored_besides(store, batch, written, standing, messages, times)
        if plan.discarded or stored:  # which the drones are not to hear of, and which they are
            messages = [message for message in messages if slot_of(message) not in plan.discarded]
            prepared = Prepared(messages, letters, stored)
            await write_page(store, batch, page, prepared)
        outcomes = await store.messages.put(plan.messages, batch.id)
        letter_outcomes = await store.dead_letters.put(plan.letters, batch.id)
        counts = plus(counts, plan.with_outcomes(outcomes, letter_outcomes))
        await _resolve(store, mine)
        claimed += mine
        replayed += [one.id for one in standing if one.status == REPLAYED]
        drones.update(message["deviceId"] for message in prepared.told)
        metrics.batch_stored(messages, now())
    await store.ledger.count(batch.id, batch.instance_id, counts, [*replayed, *claimed])
    await store.dead_letters.release(claimed)
    return counts


async def _stored_besides(
    store: Store,
    batch: Batch,
    written: Collection[Slot],
    standing: Sequence[Standing],
    accepted: Sequence[Message],
    times: Sequence[str],
) -> list[Message]:
    """What the batch has stored though today's rules do not accept it. Of what the replay or the correction of a letter
    has stored, that has told the drones itself."""
    by_letters = {(one.sequence_number, one.index) for one in standing}
    slots = set(written) - {slot_of(message) for message in accepted}
    slots = {slot for slot in slots if slot not in by_letters and (slot[0], None) not in by_letters}
    if not slots:
        return []
    documents = await store.messages.of_batch(batch.id, min(times), max(times))
    return [document for document in documents if slot_of(document) in slots]


def _as_it_stands(one: Standing, letter: DeadLetter) -> Standing:
    correction = letter.get("correction")
    return replace(one, status=letter["status"], corrected=None if correction is None else correction["count"])


async def _resolve(store: Store, letter_ids: Sequence[str]) -> None:
    at = now()
    await for_each(letter_ids, LETTERS_AT_ONCE, lambda one: store.dead_letters.resolve(one, REPLAYED, at=at))


def count(outcomes: Sequence[Outcome], letters: Sequence[DeadLetter], letter_outcomes: Sequence[Outcome]) -> Counts:
    # Letters kept by an earlier version stand for one message each.
    weights = [letter.get("messages", 1) for letter in letters]
    twice = sum(w for w, outcome in zip(weights, letter_outcomes, strict=True) if outcome is Outcome.DUPLICATE)
    return Counts(
        messages=len(outcomes) + sum(weights),
        stored=outcomes.count(Outcome.STORED),
        duplicates=outcomes.count(Outcome.DUPLICATE) + twice,
        rejected=sum(weights) - twice,
    )


def plus(some: Counts, more: Counts) -> Counts:
    return Counts(
        messages=some.messages + more.messages,
        stored=some.stored + more.stored,
        duplicates=some.duplicates + more.duplicates,
        rejected=some.rejected + more.rejected,
    )
