"""Keeps the flights in step with the messages: what has been stored since the last look is worked in, drone by drone.

Nothing is counted as batches come in. The store's messages are read in the order in which they were written
(``arrivals``), and each drone's flights follow by ``telemetry.flights`` from what is stored:

* messages later than all that its flights rest on are folded on; those that cannot start or extend a flight cost no
  write;
* a late message has the stretch that it touches worked out anew, from the flight before it (or from itself) up to the
  first point behind it at which the drone is not flying.

Both end where one fold over all the drone's messages would. A drone's head is replaced only in the version that was
read, so two processes at once do no harm; the mark moves on when its messages have been worked in, so a crash repeats
some, which are then late and change nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from pipeline.ports import Conflict, FlightHead, FlightStore, MessageStore, Store
from telemetry import times
from telemetry.flights import Flight, FlightRules, Fold, Stamp, advance, fold, not_flying, says_mode, stamp_of, starts
from telemetry.model import Message

ARRIVALS_AT_ONCE = 5_000
PAGE = 1_000
_TRIES = 5
_BEGINNING: Stamp = [""]
_NO_END = "~"
"""Later than any time."""


@dataclass
class FlightKeeper:
    """Works arrivals into the flights of one store. ``rules`` may not change while it runs."""

    messages: MessageStore
    flights: FlightStore
    rules: FlightRules
    clock: Callable[[], float] = time.monotonic
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def catch_up(self, seconds: float) -> bool:
        """Work in what has arrived, for about ``seconds`` at most; whether nothing is left. One run at a time: who
        waited for another's finds little to do."""
        until = self.clock() + seconds
        async with self._lock:
            while True:
                mark = await self.flights.mark()
                arrived = await self.flights.arrivals(mark, ARRIVALS_AT_ONCE)
                by_drone: dict[str, list[Message]] = {}
                for message in arrived.messages:
                    by_drone.setdefault(message["deviceId"], []).append(message)
                for device_id, messages in by_drone.items():
                    await self._of_drone(device_id, messages)
                if arrived.mark != mark:
                    await self.flights.set_mark(arrived.mark)
                if not arrived.more:
                    return True
                if self.clock() >= until:
                    return False

    async def _of_drone(self, device_id: str, arrived: list[Message]) -> None:
        arrived.sort(key=stamp_of)
        for attempt in range(_TRIES):
            try:
                await self._work_in(device_id, arrived)
                return
            except Conflict:
                # Another process was faster; what it did is read anew.
                if attempt == _TRIES - 1:
                    raise

    async def _work_in(self, device_id: str, arrived: Sequence[Message]) -> None:
        known = await self.flights.head(device_id)
        head = known or FlightHead(device_id, not_flying(), by_mode=False, version=None)
        if head.by_mode or not any(says_mode(message) for message in arrived):
            await self._go_on(head, arrived, changed=False)
        elif known is None:
            # It has not flown by its motion either, or it would have a head.
            await self._go_on(replace(head, by_mode=True), arrived, changed=True)
        else:
            # What it did while it said no mode was judged by its motion, which no longer counts.
            await self._rebuild(replace(head, fold=not_flying(), by_mode=True))

    async def _go_on(self, head: FlightHead, arrived: Sequence[Message], *, changed: bool) -> None:
        """``arrived`` in ascending order of stamps. ``changed``: the head must be written whatever they say."""
        border, last = _border(head.fold), stamp_of(arrived[-1])
        if border is not None and stamp_of(arrived[0]) <= border:
            await self._stretch(head, stamp_of(arrived[0]), last)
        elif head.fold["flight"] is not None:
            state, ended = fold(head.fold, arrived, head.by_mode, self.rules)
            await self._save(head, state, ended, [])
        else:
            first = next((message for message in arrived if starts(message, head.by_mode, self.rules)), None)
            if first is not None:
                # Messages behind it may be stored already that were passed over, because then nothing flew.
                await self._stretch(head, stamp_of(first), last)
            elif changed:
                await self._save(head, head.fold, [], [])

    async def _rebuild(self, head: FlightHead) -> None:
        """All flights of the drone from all its messages."""
        old = await self.flights.between(head.device_id, None, None)
        state, ended = not_flying(), list[Flight]()
        async for page in self._pages(head.device_id, None):
            state, more = fold(state, page, head.by_mode, self.rules)
            ended += more
        oldest = await self._oldest(head.device_id)
        await self._save(head, state, ended, [flight for flight in old if flight["startStamp"] >= oldest])

    async def _oldest(self, device_id: str) -> Stamp:
        page = await self.messages.history(device_id, None, None, ascending=True, limit=1, continuation=None)
        return stamp_of(page.items[0]) if page.items else [_NO_END]

    async def _is_whole(self, flight: Flight) -> bool:
        """Whether the message that began it is still stored."""
        async for message in self._messages(flight["deviceId"], flight["startStamp"]):
            return stamp_of(message) == flight["startStamp"]
        return False

    async def _stretch(self, head: FlightHead, first: Stamp, last: Stamp) -> None:
        """Work out anew what messages from ``first`` to ``last`` may have changed."""
        touched = await self.flights.between(
            head.device_id, times.add_seconds(first[0], -self.rules.gap_seconds), last[0]
        )
        whole = [flight for flight in touched if await self._is_whole(flight)]
        # Of the others messages have been purged already: what is kept of them says more than what is left.
        floor = max((flight["lastStamp"] for flight in touched if flight not in whole), default=_BEGINNING)
        if last <= floor:
            return
        touched = whole
        anchor = min([max(first, floor), *(flight["startStamp"] for flight in touched)])
        settled = max([last, *(flight["lastStamp"] for flight in touched)])
        state, ended = not_flying(), list[Flight]()
        end: Stamp | None = None
        async for message in self._messages(head.device_id, anchor):
            stamp = stamp_of(message)
            if stamp <= floor:
                continue
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
        border = max(filter(None, (head.fold["idleFrom"], state["idleFrom"])), default=None)
        if end is not None:
            state = head.fold
        await self._save(head, {**state, "idleFrom": border}, ended, old)

    async def _known_to_fly_until(self, head: FlightHead, stamp: Stamp) -> Stamp:
        """The end of the kept flight that ``stamp`` lies in: what follows there was judged as part of it, and must be
        judged anew. Before ``stamp`` when there is none, without end for the flight that is under way."""
        flying = head.fold["flight"]
        if flying is not None and flying["startStamp"] <= stamp:
            return [_NO_END]
        kept = await self.flights.between(head.device_id, stamp[0], stamp[0])
        return max((flight["lastStamp"] for flight in kept if flight["startStamp"] <= stamp), default=[""])

    async def _save(self, head: FlightHead, state: Fold, ended: Sequence[Flight], old: Sequence[Flight]) -> None:
        keep = list(ended)
        if state["flight"] is not None and all(flight["id"] != state["flight"]["id"] for flight in keep):
            keep.append(state["flight"])
        ids = {flight["id"] for flight in keep}
        gone = [flight["id"] for flight in old if flight["id"] not in ids]
        standing = {flight["id"]: flight for flight in old}
        changed = [flight for flight in keep if standing.get(flight["id"]) != flight]
        await self.flights.save(replace(head, fold=state), changed, gone)

    async def _messages(self, device_id: str, first: Stamp) -> AsyncIterator[Message]:
        """Stored messages of the drone from ``first`` on, in the order of their stamps."""
        async for page in self._pages(device_id, first[0]):
            for message in page:
                if stamp_of(message) >= first:
                    yield message

    async def _pages(self, device_id: str, time_from: str | None) -> AsyncIterator[list[Message]]:
        continuation: str | None = None
        while True:
            page = await self.messages.history(
                device_id, time_from, None, ascending=True, limit=PAGE, continuation=continuation
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


def _border(state: Fold) -> Stamp | None:
    """Messages later than this are new to the fold; None when it has seen no flight."""
    flying = state["pausing"] or state["flight"]
    return state["idleFrom"] if flying is None else flying["lastStamp"]
