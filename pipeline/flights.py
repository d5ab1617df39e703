"""Keeps the flights in step with the messages: what has been stored since the last look is worked in, drone by drone.

Nothing is counted as batches come in. The store's messages are read in the order in which they were written
(``arrivals``), and each drone's flights follow by ``telemetry.flights`` from what is stored:

* messages later than all that its flights rest on are folded on; those that cannot start or extend a flight cost no
  write;
* a message that is a little late in a flight under way has the flight gone on with anew from where it was before it
  (``flight_trails``);
* any other late message has the stretch that it touches worked out anew, from the flight before it (or from itself) up
  to the first point behind it at which the drone is not flying.

All end where one fold over all the drone's messages would. A drone's head is replaced only in the version that was
read, so two processes at once do no harm; the mark moves on when its messages have been worked in, so a crash repeats
some, which are then late and change nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from pipeline.flight_trails import Covered, Trail, Trails, border
from pipeline.many import for_each
from pipeline.ports import Arrival, Arrivals, Conflict, FlightChange, FlightHead, FlightStore, MessageStore, Store
from telemetry import times
from telemetry.flights import (
    Flight,
    FlightRules,
    Fold,
    Stamp,
    advance,
    copied,
    fold,
    not_flying,
    says_mode,
    stamp_of,
    starts,
)
from telemetry.model import Message

DRONES_AT_A_TIME = 20
PAGE = 1_000
FEW = 10
"""Where the first message is asked for, and others may have its time."""
REMEMBERED_EVERY = 16
"""Messages of a stretch that is worked out anew, from one to the next at which a late one may go on."""
STRETCHES_AT_ONCE = 8
_TRIES = 5
_BEGINNING: Stamp = [""]
_NO_END = "~"
"""Later than any time."""


@dataclass(frozen=True)
class _Outcome:
    """What to save of one drone, and what to remember of it when that has been saved. Without a ``change`` nothing of
    what is kept is any different."""

    change: FlightChange | None
    trail: Trail


_Later = Callable[[], Awaitable[_Outcome]]
"""What only further reads of the store can tell."""


@dataclass
class FlightKeeper:
    """Works arrivals into the flights of one store. ``rules`` may not change while it runs."""

    messages: MessageStore
    flights: FlightStore
    rules: FlightRules
    clock: Callable[[], float] = time.monotonic
    _trails: Trails = field(default_factory=Trails)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def catch_up(self, seconds: float) -> bool:
        """Work in what has arrived, for about ``seconds`` at most; whether nothing is left. One run at a time: who
        waited for another's finds little to do."""
        until = self.clock() + seconds
        async with self._lock:
            while True:
                mark = await self.flights.mark()
                arrived = await self.flights.arrivals(mark, self.flights.arrivals_at_once)
                if arrived.visible < int(mark or 0):
                    # The store has begun its numbers again: what is remembered by them means something else now.
                    self._trails.clear()
                await self._work_in(arrived)
                if arrived.mark != mark:
                    await self.flights.set_mark(arrived.mark)
                if not arrived.more:
                    return True
                if self.clock() >= until:
                    return False

    async def _work_in(self, arrived: Arrivals) -> None:
        by_drone: dict[str, list[Arrival]] = {}
        for arrival in arrived.messages:
            by_drone.setdefault(arrival.message["deviceId"], []).append(arrival)
        for _ in range(_TRIES):
            refused = await self._of_drones(by_drone, arrived.visible)
            if not refused:
                return
            # Another process was faster; what it did is read anew.
            by_drone = {device_id: by_drone[device_id] for device_id in refused}
        raise Conflict(f"the flights of {', '.join(sorted(by_drone))} are being worked out by somebody else")

    async def _of_drones(self, by_drone: Mapping[str, list[Arrival]], visible: int) -> list[str]:
        """The drones that somebody else has worked on meanwhile: nothing of theirs was changed."""
        if not by_drone:
            return []
        known = {head.device_id: head for head in await self.flights.heads([*by_drone])}
        outcomes: dict[str, _Outcome] = {}
        later: dict[str, _Later] = {}
        for number, (device_id, arrivals) in enumerate(by_drone.items()):
            if number % DRONES_AT_A_TIME == 0:
                await asyncio.sleep(0)  # whatever else runs in this process has its turn
            found = self._of_drone(device_id, known.get(device_id), arrivals, visible)
            if isinstance(found, _Outcome):
                outcomes[device_id] = found
            elif found is not None:
                later[device_id] = found
        worked_out = await for_each(later.values(), STRETCHES_AT_ONCE, lambda work: work())
        outcomes.update(zip(later, worked_out, strict=True))
        changes = [outcome.change for outcome in outcomes.values() if outcome.change is not None]
        refused = await self.flights.save(changes) if changes else []
        for device_id, outcome in outcomes.items():
            if device_id in refused:
                self._trails.forget(device_id)
            else:
                self._trails.keep(device_id, outcome.trail)
        return refused

    def _of_drone(
        self, device_id: str, known: FlightHead | None, arrivals: list[Arrival], visible: int
    ) -> _Outcome | _Later | None:
        """None: they change nothing."""
        head = known or FlightHead(device_id, not_flying(), by_mode=False, version=None)
        trail = self._trails.of(head)
        changed = False
        if not head.by_mode and any(says_mode(arrival.message) for arrival in arrivals):
            head = replace(head, fold=not_flying(), by_mode=True)
            if known is not None:
                # What it did while it said no mode was judged by its motion, which no longer counts.
                return lambda: self._rebuild(head, visible)
            # It has not flown by its motion either, or it would have a head.
            trail, changed = Trail(head.fold, head.by_mode), True
        arrived = trail.without_covered(arrivals)
        arrived.sort(key=stamp_of)
        return self._go_on(head, trail, arrived, visible, changed=changed)

    def _go_on(
        self, head: FlightHead, trail: Trail, arrived: list[Message], visible: int, *, changed: bool
    ) -> _Outcome | _Later | None:
        """``arrived`` in ascending order of stamps. ``changed``: the head must be written whatever they say."""
        known_to = border(head.fold)
        if arrived and known_to is not None and stamp_of(arrived[0]) <= known_to:
            first, last = stamp_of(arrived[0]), stamp_of(arrived[-1])
            earlier = trail.before(first)
            if earlier is not None:
                return lambda: self._resume(head, trail, earlier, last, visible)
            return lambda: self._stretch(head, first, last, visible)
        if arrived and head.fold["flight"] is not None:
            state, ended = fold(head.fold, arrived, head.by_mode, self.rules)
            return _Outcome(_change(head, state, ended, []), trail.went_on(state))
        start = next((message for message in arrived if starts(message, head.by_mode, self.rules)), None)
        if start is not None:
            # Messages behind it may be stored already that were passed over, because then nothing flew.
            return lambda: self._stretch(head, stamp_of(start), stamp_of(arrived[-1]), visible)
        return _Outcome(FlightChange(head), trail) if changed else None

    async def _resume(self, head: FlightHead, trail: Trail, earlier: Fold, last: Stamp, visible: int) -> _Outcome:
        """Go on anew from where the drone's flight was a little ``earlier``: nothing has arrived from before that, nor
        from after ``last``."""
        start = border(earlier)
        assert start is not None
        limit = _handed_out_to(head, last)
        kept = await self.flights.between(head.device_id, start[0], None)
        state, ended = earlier, list[Flight]()
        async for message in self._messages(head.device_id, start):
            stamp = stamp_of(message)
            if limit is not None and stamp > limit:
                break
            if stamp > start:
                state, more = fold(state, [message], head.by_mode, self.rules)
                ended += more
        old = [flight for flight in kept if flight["startStamp"] > start]
        left = Trail(earlier, trail.by_mode, [known for known in trail.earlier if known is not earlier])
        covered = Covered(start, limit, visible)
        return _Outcome(_change(head, state, ended, old), replace(left.went_on(state), covered=covered))

    async def _rebuild(self, head: FlightHead, visible: int) -> _Outcome:
        """All flights of the drone from all its messages."""
        old = await self.flights.between(head.device_id, None, None)
        state, ended = not_flying(), list[Flight]()
        async for page in self._pages(head.device_id, None):
            state, more = fold(state, page, head.by_mode, self.rules)
            ended += more
        oldest = await self._oldest(head.device_id)
        change = _change(head, state, ended, [flight for flight in old if flight["startStamp"] >= oldest])
        return _Outcome(change, Trail(state, head.by_mode, covered=Covered(_BEGINNING, None, visible)))

    async def _oldest(self, device_id: str) -> Stamp:
        page = await self.messages.history(device_id, None, None, ascending=True, limit=1, continuation=None)
        return stamp_of(page.items[0]) if page.items else [_NO_END]

    async def _is_whole(self, flight: Flight) -> bool:
        """Whether the message that began it is still stored."""
        async for message in self._messages(flight["deviceId"], flight["startStamp"], page=FEW):
            return stamp_of(message) == flight["startStamp"]
        return False

    async def _stretch(self, head: FlightHead, first: Stamp, last: Stamp, visible: int) -> _Outcome:
        """Work out anew what messages from ``first`` to ``last`` may have changed."""
        touched = await self.flights.between(
            head.device_id, times.add_seconds(first[0], -self.rules.gap_seconds), last[0]
        )
        whole = [flight for flight in touched if await self._is_whole(flight)]
        # Of the others messages have been purged already: what is kept of them says more than what is left.
        floor = max((flight["lastStamp"] for flight in touched if flight not in whole), default=_BEGINNING)
        if last <= floor:
            return _Outcome(None, Trail(head.fold, head.by_mode))
        touched = whole
        anchor = min([max(first, floor), *(flight["startStamp"] for flight in touched)])
        settled = max([last, *(flight["lastStamp"] for flight in touched)])
        state, ended = not_flying(), list[Flight]()
        trail = Trail(not_flying(), head.by_mode)
        limit, end = _handed_out_to(head, last), None
        read = 0
        async for message in self._messages(head.device_id, anchor):
            stamp = stamp_of(message)
            if stamp <= floor:
                continue
            if limit is not None and stamp > limit:
                break
            if read % REMEMBERED_EVERY == 0:
                trail = trail.went_on(copied(state))
            read += 1
            flight = advance(state, message, head.by_mode, self.rules)
            if flight is not None:
                ended.append(flight)
            if state["flight"] is None and stamp > settled:
                settled = await self._known_to_fly_until(head, stamp)
                if stamp > settled:
                    end = stamp
                    break
        old = [
            flight
            for flight in await self.flights.between(head.device_id, anchor[0], None if end is None else end[0])
            if max(anchor, floor) <= flight["startStamp"] and (end is None or flight["startStamp"] <= end)
        ]
        # Flights have ended by then: a message that is not later is late.
        idle_from = max(filter(None, (head.fold["idleFrom"], state["idleFrom"])), default=None)
        if end is not None:
            state, trail = head.fold, Trail(not_flying(), head.by_mode)
        state = {**state, "idleFrom": idle_from}
        covered = Covered(anchor, limit if end is None else end, visible)
        return _Outcome(_change(head, state, ended, old), replace(trail.went_on(state), covered=covered))

    async def _known_to_fly_until(self, head: FlightHead, stamp: Stamp) -> Stamp:
        """The end of the kept flight that ``stamp`` lies in: what follows there was judged as part of it, and must be
        judged anew. Before ``stamp`` when there is none, without end for the flight that is under way."""
        flying = head.fold["flight"]
        if flying is not None and flying["startStamp"] <= stamp:
            return [_NO_END]
        kept = await self.flights.between(head.device_id, stamp[0], stamp[0])
        return max((flight["lastStamp"] for flight in kept if flight["startStamp"] <= stamp), default=[""])

    async def _messages(self, device_id: str, first: Stamp, page: int = PAGE) -> AsyncIterator[Message]:
        """Stored messages of the drone from ``first`` on, in the order of their stamps, read ``page`` at a time."""
        async for messages in self._pages(device_id, first[0], page):
            for message in messages:
                if stamp_of(message) >= first:
                    yield message

    async def _pages(self, device_id: str, time_from: str | None, limit: int = PAGE) -> AsyncIterator[list[Message]]:
        continuation: str | None = None
        while True:
            page = await self.messages.history(
                device_id, time_from, None, ascending=True, limit=limit, continuation=continuation
            )
            yield page.items
            continuation = page.continuation
            if continuation is None:
                return


_keepers: WeakKeyDictionary[Store, FlightKeeper] = WeakKeyDictionary()


def keeper_of(store: Store, rules: FlightRules) -> FlightKeeper:
    """The one keeper of this process for ``store``: all who ask share its runs."""
    keeper = _keepers.get(store)
    if keeper is None:
        keeper = _keepers[store] = FlightKeeper(store.messages, store.flights, rules)
    return keeper


def _handed_out_to(head: FlightHead, last: Stamp) -> Stamp | None:
    """Of a drone that flies: the newest of its messages handed out so far (``last``: the newest of this portion). What
    is stored behind it already will be handed out yet, and would be late then if it were read now. None where that is
    not known: while nothing flew, messages were passed over."""
    known_to = border(head.fold)
    return None if head.fold["flight"] is None or known_to is None else max(known_to, last)


def _change(head: FlightHead, state: Fold, ended: Sequence[Flight], old: Sequence[Flight]) -> FlightChange:
    """Of the ``old`` flights those that are no more are deleted, those that are as they were are not written."""
    keep = list(ended)
    if state["flight"] is not None and all(flight["id"] != state["flight"]["id"] for flight in keep):
        keep.append(state["flight"])
    ids = {flight["id"] for flight in keep}
    standing = {flight["id"]: flight for flight in old}
    return FlightChange(
        replace(head, fold=state),
        put=[flight for flight in keep if standing.get(flight["id"]) != flight],
        delete=[flight["id"] for flight in old if flight["id"] not in ids],
    )
