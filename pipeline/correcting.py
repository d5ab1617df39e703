"""A person writes down what a rejected message should have said, and has that run in its place.

The letter and its bytes stay as they were; the copy is judged by the rules that judge everything, is stored under the
letter's delivery, and counts for what the letter stood for: so nothing counts twice, and a batch that runs again finds
the letter answered. Each says of the other: the letter's ``correction`` names the messages, ``correctedFrom`` of a
message the letter.
"""

from __future__ import annotations

from pipeline.clock import now
from pipeline.dead_letters import StillRejected, finish_replay
from pipeline.durable import DurableClient
from pipeline.ports import Conflict, Store
from reference_data import get_reference_data, refresh
from settings import get_settings
from telemetry.enrichment import enrich
from telemetry.letters import with_text
from telemetry.model import Correction, DeadLetter, Error, Message
from telemetry.validation import validate_dead_letter
from telemetry.vocabulary import OPEN

NAMED = 20
"""Messages of a copy that its letter names."""


class NothingIn(ValueError):
    """The copy is well formed, and holds no message."""


async def check_correction(store: Store, letter_id: str, text: str) -> tuple[list[Message], list[Error]]:
    """Today's verdict on a copy: what it would become, or why it would be rejected. Nothing is kept; ``KeyError``."""
    letter = await _get(store, letter_id)
    await refresh(store)
    return _judged(with_text(letter, text))


async def correct_dead_letter(
    store: Store, client: DurableClient, letter_id: str, text: str, by: str | None
) -> DeadLetter:
    """The letter after the copy has been stored in its place; the same copy again finds it so.

    ``KeyError`` when it is unknown, ``Conflict`` when it was discarded or answered otherwise, ``StillRejected`` with
    the copy's errors, ``NothingIn``. As with a replay, the letter is claimed first, with the copy in the same write:
    what a crash cuts short is finished by the sweeper.
    """
    letter = await _get(store, letter_id)
    copy = with_text(letter, text)
    if letter["status"] != OPEN:
        return _answered_by(letter, copy)
    await refresh(store)
    messages, errors = _judged(copy)
    if errors:
        raise StillRejected(letter_id, errors)
    if not messages:
        raise NothingIn(letter_id)
    at = now()
    held = await store.dead_letters.correct(letter_id, messages, _correction(copy, messages, at, by), at)
    if held is None:
        raise KeyError(letter_id)
    if held.messages is None:  # resolved meanwhile
        return _answered_by(held.letter, copy)
    return _answered_by(await finish_replay(store, client, held), copy)


async def _get(store: Store, letter_id: str) -> DeadLetter:
    letter = await store.dead_letters.get(letter_id)
    if letter is None:
        raise KeyError(letter_id)
    return letter


def _judged(copy: DeadLetter) -> tuple[list[Message], list[Error]]:
    rules, known = get_settings().rules, get_reference_data()
    messages, errors = validate_dead_letter(copy, rules)
    if not errors:
        enrich(messages, known.registry, known.zones, rules)
        for message in messages:
            message["correctedFrom"] = copy["id"]
    return messages, errors


def _correction(copy: DeadLetter, messages: list[Message], at: str, by: str | None) -> Correction:
    return {
        "at": at,
        "by": by,
        "body": copy["body"],
        "contentType": copy["contentType"],
        "contentEncoding": copy["contentEncoding"],
        "count": len(messages),
        "messages": [{"id": one["id"], "deviceId": one["deviceId"], "time": one["time"]} for one in messages[:NAMED]],
    }


def _answered_by(letter: DeadLetter, copy: DeadLetter) -> DeadLetter:
    """The letter, if it was this copy that answered it; ``Conflict`` otherwise."""
    correction = letter.get("correction")
    if correction is not None and correction["body"] == copy["body"]:
        return letter
    how = f"{letter['status']} already" if correction is None else "answered by another corrected copy already"
    raise Conflict(f"dead letter {letter['id']} is {how}", letter)
