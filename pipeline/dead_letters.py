"""A person has a dead letter, or many, run through today's rules and settings."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from observability import log
from pipeline.alerts.noting import note_changes
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.many import for_each, gather_pages
from pipeline.ports import Conflict, DeadLetterFilter, Store
from pipeline.records import Claim, Move, Outcome
from pipeline.signals import signal_all
from reference_data import get_reference_data, refresh
from settings import get_settings
from telemetry.enrichment import enrich
from telemetry.merge import merge_messages
from telemetry.model import DeadLetter, Error
from telemetry.validation import validate_dead_letter
from telemetry.vocabulary import DISCARDED, OPEN, REPLAYED

LETTERS_AT_ONCE = 8


class StillRejected(Exception):
    """Today's rules reject it too; ``errors`` has every reason."""

    def __init__(self, letter_id: str, errors: list[Error]) -> None:
        super().__init__(f"dead letter {letter_id} is still rejected: {', '.join(error['code'] for error in errors)}")
        self.errors = errors


@dataclass
class LetterReplays:
    """How many of each; ``skipped`` were not open, or changed meanwhile."""

    replayed: int = 0
    still_rejected: int = 0
    skipped: int = 0


async def replay_dead_letter(store: Store, client: DurableClient, letter_id: str) -> DeadLetter:
    """The letter as it stands after its message was stored and its drone told; a replayed one comes back untouched.

    ``KeyError`` when it is unknown, ``Conflict`` when it was discarded, ``StillRejected`` with today's errors. The
    letter is claimed first: from then on it can only become replayed, and whoever comes next does what was left undone.
    """
    letter = await store.dead_letters.get(letter_id)
    if letter is None:
        raise KeyError(letter_id)
    if letter["status"] == REPLAYED:
        return letter
    await refresh(store)
    rules, known = get_settings().rules, get_reference_data()
    messages, errors = validate_dead_letter(letter, rules)
    if not errors:
        enrich(messages, known.registry, known.zones, rules)
    # One that is rejected today may be claimed for what it was accepted as yesterday.
    held = (await store.dead_letters.claim({letter_id: None if errors else messages}, now())).get(letter_id)
    if held is None:
        raise KeyError(letter_id)
    if held.messages is not None:
        return await finish_replay(store, client, held)
    if held.letter["status"] == REPLAYED:
        return held.letter
    if held.letter["status"] == DISCARDED:
        raise Conflict(f"dead letter {letter_id} is {DISCARDED}", held.letter)
    await store.dead_letters.record_failed_replay(letter_id, errors, now())
    raise StillRejected(letter_id, errors)


async def finish_replay(store: Store, client: DurableClient, claim: Claim) -> DeadLetter:
    """Do, or do again, all that follows from a claim. Safe to run beside others that do the same."""
    letter, messages = claim.letter, claim.messages or []
    letter_id, batch_id = letter["id"], letter["batchId"]
    outcomes = await store.messages.put(messages, batch_id)
    states = merge_messages(messages)
    await note_changes(store, client, states.values(), letter_id)
    await signal_all(client, states.values())
    # Resolved before the counts move: an attempt at the batch that counts at this moment finds it so, or is told.
    resolved = await store.dead_letters.resolve(letter_id, REPLAYED, at=now())
    stored = outcomes.count(Outcome.STORED)
    move = Move(letter.get("messages", 1), stored, len(outcomes) - stored)
    await store.ledger.recount(batch_id, letter_id, move)
    await store.dead_letters.release([letter_id])
    log(logging.INFO, "dead letter replayed", deadLetterId=letter_id, batchId=batch_id, deviceId=letter["deviceId"])
    return resolved


async def finish_claims(store: Store, client: DurableClient, claimed_before: str, limit: int) -> None:
    """Finish what was claimed before, and whose claimer has not come to the end."""

    async def one(claim: Claim) -> None:
        try:
            await finish_replay(store, client, claim)
        except Exception as error:
            log(logging.WARNING, "claim not finished", deadLetterId=claim.letter["id"], error=str(error))

    await for_each(await store.dead_letters.claims(claimed_before, limit), LETTERS_AT_ONCE, one)


async def discard_dead_letter(store: Store, client: DurableClient, letter_id: str, reason: str) -> DeadLetter:
    """The letter, discarded. ``KeyError`` when it is unknown, ``Conflict`` when it was replayed: also when a replay has
    claimed it, which is then finished."""
    try:
        return await store.dead_letters.resolve(letter_id, DISCARDED, at=now(), reason=reason)
    except Conflict:
        held = (await store.dead_letters.claim({letter_id: None}, now())).get(letter_id)
        if held is not None and held.messages is not None:
            await finish_replay(store, client, held)
        raise


async def replay_dead_letters(
    store: Store, client: DurableClient, where: DeadLetterFilter, limit: int
) -> LetterReplays:
    """Replay up to ``limit`` letters that match, newest first."""
    found = await gather_pages(lambda size, token: store.dead_letters.list(where, size, token), limit)
    result = LetterReplays(skipped=sum(letter["status"] != OPEN for letter in found))
    await _replay_each(store, client, [letter["id"] for letter in found if letter["status"] == OPEN], result)
    return result


async def replay_these(store: Store, client: DurableClient, letter_ids: Sequence[str]) -> LetterReplays:
    """Replay the letters of these ids; one that is unknown or not open is skipped."""
    letters = await for_each(letter_ids, LETTERS_AT_ONCE, store.dead_letters.get)
    open_ones = [letter["id"] for letter in letters if letter is not None and letter["status"] == OPEN]
    result = LetterReplays(skipped=len(letter_ids) - len(open_ones))
    await _replay_each(store, client, open_ones, result)
    return result


async def _replay_each(store: Store, client: DurableClient, letter_ids: Sequence[str], result: LetterReplays) -> None:
    async def one(letter_id: str) -> None:
        try:
            await replay_dead_letter(store, client, letter_id)
            result.replayed += 1
        except StillRejected:
            result.still_rejected += 1
        except (Conflict, KeyError):
            result.skipped += 1

    await for_each(letter_ids, LETTERS_AT_ONCE, one)
