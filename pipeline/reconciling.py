"""An attempt after the first meets what earlier ones left: which messages and letters are still to be written, and what
the batch counts then.

The rules, event by event:

* What is stored stays stored, and counts as that, whatever today's rules say of it: running a batch again never takes a
  message back. So does a duplicate stay one.
* A letter that was discarded stays discarded: its message is not stored, though today's rules may accept it.
* A letter with a corrected copy is answered by it: what stood in its place at first is not stored, though today's rules
  may accept it, and the copy's messages count.
* An open letter whose message is accepted today is replayed by this attempt. One for a whole event stays as it is until
  at least one message of the event is accepted.

``stored`` is then the number of documents that the batch has written, and ``rejected`` the number of messages for which
its open and discarded letters stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.records import Counts, Outcome, Purged, Slot, Standing
from telemetry.model import DeadLetter, Message
from telemetry.vocabulary import DISCARDED, OPEN


@dataclass
class _Event:
    accepted: list[Message] = field(default_factory=list)
    rejected: list[DeadLetter] = field(default_factory=list)
    letters: dict[int | None, Standing] = field(default_factory=dict)
    """What earlier attempts rejected, by index."""
    written: set[Slot] = field(default_factory=set)

    def came_with(self, purged: Sequence[Purged]) -> bool:
        return any(
            one.holds(said["sequenceNumber"], said["enqueuedAt"])
            for one in purged
            for said in (*self.accepted[:1], *self.rejected[:1])
        )


@dataclass
class Reconciled:
    """What is to be written, and what counts besides."""

    messages: list[Message] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    counts: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0))
    """Of all that is not written anew."""
    known: set[str] = field(default_factory=set)
    """Letters among ``letters`` that ``counts`` has already."""
    discarded: set[Slot] = field(default_factory=set)
    """Of messages that today's rules accept, and that a person has discarded, or corrected."""

    def with_outcomes(self, outcomes: Sequence[Outcome], letter_outcomes: Sequence[Outcome]) -> Counts:
        """The batch's counts, after ``messages`` and ``letters`` have been put."""
        new = [
            (letter.get("messages", 1), outcome)
            for letter, outcome in zip(self.letters, letter_outcomes, strict=True)
            if letter["id"] not in self.known
        ]
        rejected = sum(messages for messages, outcome in new if outcome is not Outcome.DUPLICATE)
        of_letters = sum(messages for messages, _ in new)
        stored = outcomes.count(Outcome.STORED)
        counts = self.counts
        return Counts(
            messages=counts.messages + len(outcomes) + of_letters,
            stored=counts.stored + stored,
            duplicates=counts.duplicates + len(outcomes) - stored + of_letters - rejected,
            rejected=counts.rejected + rejected,
        )


def by_event(standing: Iterable[Standing]) -> dict[int, list[Standing]]:
    events: dict[int, list[Standing]] = {}
    for one in standing:
        events.setdefault(one.sequence_number, []).append(one)
    return events


def to_claim(messages: Iterable[Message], standing: Iterable[Standing]) -> dict[str, list[Message]]:
    """Open letters of which messages are accepted today, with those messages."""
    by_place = {
        (letter.sequence_number, letter.index): letter.id
        for letter in standing
        if letter.status == OPEN and letter.corrected is None
    }
    wanted: dict[str, list[Message]] = {}
    for message in messages:
        number = message["sequenceNumber"]
        for index in (message["index"], None):
            letter_id = by_place.get((number, index))
            if letter_id is not None:
                wanted.setdefault(letter_id, []).append(message)
    return wanted


def reconcile(
    messages: Sequence[Message],
    letters: Sequence[DeadLetter],
    standing: Sequence[Standing],
    written: Collection[Slot],
    claimed: Collection[str],
    *,
    ran_before: bool,
    purged: Sequence[Purged] = (),
) -> Reconciled:
    """``messages`` and ``letters`` are today's verdict, ``standing`` the batch's letters and ``written`` the slots of
    its documents; ``claimed`` are the letters whose messages this attempt stores. ``ran_before``: an attempt has come
    to its end, so what has neither letter nor document was a duplicate; so is what another batch had that is
    ``purged``."""
    events: dict[int, _Event] = {}
    for message in messages:
        events.setdefault(message["sequenceNumber"], _Event()).accepted.append(message)
    for letter in letters:
        events.setdefault(letter["sequenceNumber"], _Event()).rejected.append(letter)
    for one in standing:
        events.setdefault(one.sequence_number, _Event()).letters[one.index] = one
    for slot in written:
        events.setdefault(slot[0], _Event()).written.add(slot)
    result = Reconciled()
    for event in events.values():
        _add(result, event, claimed, ran_before, event.came_with(purged))
    return result


def _add(result: Reconciled, event: _Event, claimed: Collection[str], ran_before: bool, came_before: bool) -> None:
    stay = {i: one for i, one in event.letters.items() if one.status != OPEN or one.id not in claimed}
    refused = {i: one for i, one in stay.items() if one.status in (OPEN, DISCARDED)}
    corrected = {i: one.corrected for i, one in event.letters.items() if one.corrected is not None}
    # A message that is being replayed, its letter still open, counts as rejected until the replay says otherwise.
    stored = {slot for slot in event.written if slot[1] not in refused and None not in refused}
    put: list[Message] = []
    letters: list[DeadLetter] = []
    if None in refused:
        letters = [letter for letter in event.rejected if letter["index"] is None]
    elif None not in corrected:
        answered = refused.keys() | corrected.keys()
        put = [m for m in event.accepted if m["index"] not in answered and slot_of(m) not in stored and not came_before]
        letters = [one for one in event.rejected if _is_judged_anew(one, event, stored, ran_before or came_before)]
    result.discarded |= {
        slot_of(m)
        for m in event.accepted
        for index in (m["index"], None)
        if index in corrected or (index in refused and refused[index].status == DISCARDED)
    }
    result.messages += put
    result.letters += letters
    result.known |= {one.id for one in event.letters.values()}
    rejected = sum(one.messages for one in refused.values())
    total = rejected if None in refused else _messages_of(event, refused, corrected)
    unwritten = len(put) + sum(one.get("messages", 1) for one in letters if one["id"] not in result.known)
    duplicates = max(0, total - unwritten - len(stored) - rejected)
    result.counts = Counts(
        messages=result.counts.messages + len(stored) + rejected + duplicates,
        stored=result.counts.stored + len(stored),
        duplicates=result.counts.duplicates + duplicates,
        rejected=result.counts.rejected + rejected,
    )


def _messages_of(event: _Event, refused: Mapping[int | None, Standing], corrected: Mapping[int | None, int]) -> int:
    """For how many messages the event stands. An earlier run may have taken ``Reconciled.discarded`` out of what is
    accepted: those are told by their letters."""
    if None in corrected:
        return corrected[None]
    messages: dict[int | None, int] = {message["index"]: 1 for message in event.accepted}
    messages.update({letter["index"]: letter.get("messages", 1) for letter in event.rejected})
    if None not in messages:  # else it is the whole event: what has been judged one by one is part of it
        messages.update(corrected)
        messages.update({index: one.messages for index, one in refused.items()})
    return sum(messages.values())


def _is_judged_anew(letter: DeadLetter, event: _Event, stored: Collection[Slot], ran_before: bool) -> bool:
    """Whether a message that is rejected today becomes a letter, or has one that is to be brought up to date."""
    index = letter["index"]
    if index in event.letters:
        return True
    if index is None:  # of an event whose messages have been judged one by one, they keep their own
        return not (event.letters or stored or ran_before)
    return (letter["sequenceNumber"], index) not in stored and not ran_before


def slot_of(message: Message) -> Slot:
    return message["sequenceNumber"], message["index"]
