"""A person has a dead letter, or many, run through today's rules and settings."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from observability import log
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.many import for_each, gather_pages
from pipeline.ports import Conflict, DeadLetterFilter, Store
from pipeline.records import Outcome
from pipeline.signals import signal_all
from reference_data import get_reference_data
from settings import get_settings
from telemetry.enrichment import enrich
from telemetry.merge import merge_messages
from telemetry.model import DeadLetter, Error
from telemetry.validation import validate_dead_letter

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

    ``KeyError`` when it is unknown, ``Conflict`` when it was discarded, ``StillRejected`` with today's errors. Whatever
    fails in between, the letter is open and asking again does the rest: it is resolved last.
    """
    letter = await store.dead_letters.get(letter_id)
    if letter is None:
        raise KeyError(letter_id)
    if letter["status"] == "replayed":
        return letter
    if letter["status"] != "open":
        raise Conflict(f"dead letter {letter_id} is {letter['status']}", letter)
    rules, known = get_settings().rules, get_reference_data()
    messages, errors = validate_dead_letter(letter, rules)
    if errors:
        await store.dead_letters.record_failed_replay(letter_id, errors, now())
        raise StillRejected(letter_id, errors)
    enrich(messages, known.registry, known.zones, rules)
    batch_id = letter["batchId"]
    outcomes = await store.messages.put(messages, batch_id)
    await signal_all(client, merge_messages(messages).values())
    new = Outcome.STORED in outcomes or not outcomes
    await store.ledger.recount(batch_id, letter_id, Outcome.STORED if new else Outcome.DUPLICATE)
    resolved = await store.dead_letters.resolve(letter_id, "replayed", at=now())
    log(logging.INFO, "dead letter replayed", deadLetterId=letter_id, batchId=batch_id, deviceId=letter["deviceId"])
    return resolved


async def replay_dead_letters(
    store: Store, client: DurableClient, where: DeadLetterFilter, limit: int
) -> LetterReplays:
    """Replay up to ``limit`` letters that match, newest first."""
    result = LetterReplays()

    async def one(letter: DeadLetter) -> None:
        if letter["status"] != "open":
            result.skipped += 1
            return
        try:
            await replay_dead_letter(store, client, letter["id"])
            result.replayed += 1
        except StillRejected:
            result.still_rejected += 1
        except (Conflict, KeyError):
            result.skipped += 1

    found = await gather_pages(lambda size, token: store.dead_letters.list(where, size, token), limit)
    await for_each(found, LETTERS_AT_ONCE, one)
    return result
