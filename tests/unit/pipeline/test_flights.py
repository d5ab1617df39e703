"""Flights kept in step: whatever order, number and grouping of arrivals, they are those of one fold over all."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.flights import FlightKeeper
from pipeline.ports import Arrival, Arrivals, FlightChange, FlightHead, Page
from telemetry.flights import Flight, FlightRules, fold, not_flying, says_mode, stamp_of
from telemetry.model import Message
from tests.support.flown import said

RULES = FlightRules()


class Memory:
    """Messages and flights in memory; ``interfere`` is called before a save, as another process would come between."""

    def __init__(self) -> None:
        self.stored: list[Message] = []
        self.kept: dict[str, Flight] = {}
        self.heads_kept: dict[str, FlightHead] = {}
        self.at = ""
        self.saves = 0
        self.interfere: Any = None
        self.arrivals_at_once = 1_000_000
        self.purged = 0
        self.read = 0
        self.meanwhile: list[Message] = []
        """Stored, two at a time, while others are being read."""

    def put(self, messages: Sequence[Message]) -> None:
        known = {message["id"] for message in self.stored}
        new = {message["id"]: message for message in messages if message["id"] not in known}
        self.stored += new.values()

    def meanwhile_stored(self, count: int) -> None:
        self.put(self.meanwhile[:count])
        del self.meanwhile[:count]

    async def history(self, device_id: str, time_from: str | None, time_to: str | None, **how: Any) -> Page[Message]:
        assert how["ascending"]
        self.meanwhile_stored(2)
        found = [m for m in self.stored if m["deviceId"] == device_id and m["time"] >= (time_from or "")]
        found.sort(key=stamp_of)
        after = json.loads(how["continuation"] or "[]")
        found = [message for message in found if stamp_of(message) > after]
        page = found[:3]
        self.read += len(page)
        return Page(page, json.dumps(stamp_of(page[-1])) if len(found) > 3 else None)

    async def arrivals(self, mark: str, limit: int) -> Arrivals:
        start = int(mark or 0) - self.purged
        end = min(len(self.stored), start + limit)
        first = self.purged + start + 1
        found = [Arrival(first + place, message) for place, message in enumerate(self.stored[start:end])]
        return Arrivals(found, str(self.purged + end), end < len(self.stored), self.purged + len(self.stored))

    async def mark(self) -> str:
        return self.at

    async def set_mark(self, mark: str) -> None:
        self.at = mark

    async def heads(self, device_ids: Sequence[str]) -> list[FlightHead]:
        return [copy.deepcopy(self.heads_kept[one]) for one in device_ids if one in self.heads_kept]

    async def save(self, changes: Sequence[FlightChange]) -> list[str]:
        if self.interfere is not None:
            interfere, self.interfere = self.interfere, None
            await interfere()
        return [change.head.device_id for change in changes if not self._save(change)]

    def _save(self, change: FlightChange) -> bool:
        head = change.head
        known = self.heads_kept.get(head.device_id)
        if (None if known is None else known.version) != head.version:
            return False
        self.saves += 1
        self.heads_kept[head.device_id] = copy.deepcopy(
            FlightHead(head.device_id, head.fold, head.by_mode, str(int(head.version or 0) + 1))
        )
        for flight in change.delete:
            self.kept.pop(flight, None)
        self.kept.update((flight["id"], copy.deepcopy(flight)) for flight in change.put)
        return True

    async def between(self, device_id: str, time_from: str | None, time_to: str | None) -> list[Flight]:
        found = [
            flight
            for flight in self.kept.values()
            if flight["deviceId"] == device_id
            and flight["lastAt"] >= (time_from or "")
            and flight["startedAt"] <= (time_to or "~")
        ]
        return sorted(copy.deepcopy(found), key=lambda flight: flight["startStamp"])


def keeper(memory: Memory) -> FlightKeeper:
    return FlightKeeper(memory, memory, RULES)  # type: ignore[arg-type]  # the parts that it uses


def expected(messages: Sequence[Message]) -> dict[str, Flight]:
    found: dict[str, Flight] = {}
    for device_id in {message["deviceId"] for message in messages}:
        mine = sorted((m for m in messages if m["deviceId"] == device_id), key=stamp_of)
        state, ended = fold(not_flying(), mine, any(map(says_mode, mine)), RULES)
        found.update((flight["id"], flight) for flight in ended)
        if state["flight"] is not None:
            found[state["flight"]["id"]] = state["flight"]
    return found


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 1, 1, 20, 40, 299, 301]),
        st.sampled_from([None, None, "ready", "takeoff", "inflight", "landing", "offline"]),
        st.sampled_from([None, 0.0, 5.0]),
        st.sampled_from(["d", "d", "e"]),
    ),
    min_size=1,
    max_size=30,
)


def flown(steps: Sequence[tuple[int, str | None, float | None, str]], modes: bool) -> list[Message]:
    second, messages = 0.0, []
    for number, (wait, mode, speed, device) in enumerate(steps):
        second += wait
        fields: dict[str, Any] = {"deviceId": device, "id": f"d{number:020d}", "sequenceNumber": number}
        if speed is not None:
            fields["groundSpeed"] = speed
        if mode is not None and modes:
            fields["flightMode"] = mode
        messages.append(said(second, **fields))
    return messages


@settings(max_examples=50, deadline=None)
@given(STEPS, st.booleans(), st.integers(0, 1 << 32), st.integers(1, 5))
async def test_any_order_number_and_grouping_ends_in_the_flights_of_one_fold(
    steps: list[tuple[int, str | None, float | None, str]], modes: bool, seed: int, most: int
) -> None:
    await deliver(flown(steps, modes), random.Random(seed), most)


async def test_many_long_ones_of_chance() -> None:
    # 23 and 2005 once failed: what is stored already and not yet announced is read when a stretch is worked out anew.
    for seed in (23, 2005, *range(300)):
        rng = random.Random(seed)
        steps = [
            (
                rng.choice([0, 1, 1, 1, 20, 40, 299, 301]),
                rng.choice([None, None, "ready", "takeoff", "inflight", "landing", "offline"]),
                rng.choice([None, 0.0, 5.0]),
                "d",
            )
            for _ in range(rng.choice([4, 30]))
        ]
        await deliver(flown(steps, rng.random() < 0.7), rng, rng.randint(1, 5))


async def deliver(messages: list[Message], rng: random.Random, most: int) -> None:
    deliveries = [*messages, *rng.sample(messages, len(messages) // 3)]
    rng.shuffle(deliveries)
    memory = Memory()
    memory.arrivals_at_once = most
    kept = keeper(memory)
    while deliveries:
        size = rng.randint(1, 7)
        memory.put(deliveries[:size])
        del deliveries[:size]
        if rng.random() < 0.3:
            memory.meanwhile += deliveries[:4]
            del deliveries[:4]
        if rng.random() < 0.2:
            before = memory.at
            assert await kept.catch_up(60)
            memory.at = before  # as if the process had ended before the mark was set
        assert await kept.catch_up(60)
        while memory.at != str(len(memory.stored)):  # some were stored meanwhile
            assert await kept.catch_up(60)
        assert memory.kept == expected(memory.stored)


async def test_a_late_landing_splits_a_flight_and_a_late_message_joins_two() -> None:
    memory = Memory()
    kept = keeper(memory)
    inflight = [said(n, flightMode="inflight") for n in (0, 100, 400, 500)]
    memory.put([inflight[0], inflight[1]])
    memory.put([inflight[3]])
    await kept.catch_up(60)
    assert len(memory.kept) == 2  # the silence from 100 to 500 is too long
    memory.put([inflight[2]])
    await kept.catch_up(60)
    [joined] = memory.kept.values()
    assert joined["messages"] == 4
    memory.put([said(450, flightMode="ready")])
    await kept.catch_up(60)
    assert sorted(flight["messages"] for flight in memory.kept.values()) == [1, 3]


async def test_messages_that_change_nothing_are_not_written() -> None:
    memory = Memory()
    kept = keeper(memory)
    memory.put([said(0, flightMode="ready")])
    await kept.catch_up(60)
    saves = memory.saves
    memory.put([said(n, flightMode="ready", battery=0.5) for n in range(1, 50)])
    await kept.catch_up(60)
    assert memory.saves == saves


async def test_a_message_that_is_a_little_late_costs_no_more_the_longer_the_flight_lasts() -> None:
    memory = Memory()
    kept = keeper(memory)
    for look in range(60):
        newest = 10 * look
        memory.put([said(newest + n, flightMode="inflight") for n in range(10) if n != 9])
        if look:
            memory.put([said(newest - 1, flightMode="inflight")])  # of the look before
        before = memory.read
        await kept.catch_up(60)
        assert look == 0 or memory.read - before <= 80
    assert memory.kept == expected(memory.stored)


@pytest.mark.parametrize("swapped", [1, 3])
async def test_what_is_stored_while_it_works_is_not_late_the_next_time(swapped: int) -> None:
    flight = [said(n, flightMode="inflight") for n in range(1600)]
    for late in range(9, 1599, 10):
        flight[late - swapped + 1 : late + 2] = [flight[late + 1], *flight[late - swapped + 1 : late + 1]]
    memory = Memory()
    memory.meanwhile = flight
    kept = keeper(memory)
    while memory.meanwhile:
        memory.meanwhile_stored(10)
        await kept.catch_up(60)
    await kept.catch_up(60)
    assert memory.kept == expected(memory.stored)
    assert memory.read <= 1_200


async def test_a_backlog_of_one_flight_is_read_once_however_many_looks_it_takes() -> None:
    memory = Memory()
    memory.arrivals_at_once = 10
    memory.put([said(n, flightMode="inflight") for n in range(500)])
    await keeper(memory).catch_up(60)
    assert memory.kept == expected(memory.stored)
    assert memory.read <= 510
    memory.put([said(n, flightMode="inflight") for n in range(500, 600)])
    await keeper(memory).catch_up(60)
    assert memory.kept == expected(memory.stored)


async def test_another_process_in_between_is_noticed_and_nothing_counts_twice() -> None:
    memory = Memory()
    kept, other = keeper(memory), keeper(memory)
    memory.put([said(0, flightMode="takeoff"), said(1, flightMode="inflight")])

    async def meanwhile() -> None:
        await other.catch_up(60)

    memory.interfere = meanwhile
    await kept.catch_up(60)
    assert memory.kept == expected(memory.stored)


async def test_it_stops_when_its_time_is_up_and_goes_on_the_next_time() -> None:
    memory = Memory()
    memory.arrivals_at_once = 2
    memory.put([said(n, flightMode="inflight") for n in range(6)])
    now = iter(range(100))
    kept = keeper(memory)
    kept.clock = lambda: float(next(now))
    assert not await kept.catch_up(0.5)
    while not await kept.catch_up(0.5):
        pass
    assert memory.kept == expected(memory.stored)


@pytest.mark.parametrize("modes", [True, False])
async def test_a_drone_that_says_its_first_mode_late_is_judged_by_modes_from_its_beginning(modes: bool) -> None:
    memory = Memory()
    kept = keeper(memory)
    memory.put([said(n, groundSpeed=9.0) for n in range(5)])
    await kept.catch_up(60)
    assert len(memory.kept) == 1
    memory.put([said(9, flightMode="inflight") if modes else said(9, groundSpeed=9.0)])
    await kept.catch_up(60)
    assert memory.kept == expected(memory.stored)


async def test_a_flight_whose_messages_have_begun_to_be_purged_keeps_what_is_known_of_it() -> None:
    memory = Memory()
    kept = keeper(memory)
    memory.put([*(said(n, flightMode="inflight") for n in range(10)), said(10, flightMode="ready")])
    await kept.catch_up(60)
    [before] = memory.kept.values()
    memory.stored, memory.purged = memory.stored[5:], 5
    memory.put([said(7.5, battery=0.5), said(20, flightMode="inflight")])
    await kept.catch_up(60)
    assert memory.kept[before["id"]] == before
    assert sorted(flight["messages"] for flight in memory.kept.values()) == [1, 10]
