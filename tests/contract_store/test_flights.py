"""Flights: kept beside a head that is replaced only in the version that was read; messages announced once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pipeline.flights import FlightKeeper
from pipeline.ports import Arrivals, FlightChange, FlightFilter, FlightHead, Store
from telemetry.flights import Flight, FlightRules, not_flying
from telemetry.model import Message
from tests.support.records import at, message

RULES = FlightRules()


async def arrived(store: Store, mark: str, limit: int = 100) -> Arrivals:
    """What has been stored; in whole seconds on Azure, so it may take one."""
    for _ in range(60):
        found = await store.flights.arrivals(mark, limit)
        if found.messages:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("nothing arrived")


def flight(start: int, end: int, device: str = "d", **changes: Any) -> Flight:
    made: Any = {
        "id": f"{device}~{start:04d}~x",
        "deviceId": device,
        "startedAt": at(start),
        "lastAt": at(end),
        "startStamp": [at(start), at(start), start, 0, "x"],
        "lastStamp": [at(end), at(end), end, 0, "x"],
        "ended": True,
        "messages": 2,
        "distance": 1 / 3,
        "takeoff": {"latitude": 47.5},
        **changes,
    }
    result: Flight = made
    return result


async def saved(store: Store, *flights: Flight) -> None:
    for one in flights:
        known = await head_of(store, one["deviceId"])
        head = known or FlightHead(one["deviceId"], not_flying(), by_mode=True, version=None)
        await save(store, head, put=[one])


async def head_of(store: Store, device_id: str) -> FlightHead | None:
    found = await store.flights.heads([device_id])
    return found[0] if found else None


async def save(store: Store, head: FlightHead, *, put: Sequence[Flight] = (), delete: Sequence[str] = ()) -> None:
    assert await store.flights.save([FlightChange(head, put, delete)]) == []


async def test_messages_are_announced_once_in_the_order_of_their_writes(store: Store) -> None:
    assert not (await store.flights.arrivals("", 10)).messages
    assert await store.flights.mark() == ""
    await store.messages.put([message(f"m{n}", "drone-1", second=9 - n) for n in range(5)], "batch-a")
    first = await arrived(store, "")
    assert sorted(one.message["id"] for one in first.messages) == [f"m{n}" for n in range(5)]
    await store.flights.set_mark(first.mark)
    assert await store.flights.mark() == first.mark
    assert not (await store.flights.arrivals(first.mark, 10)).messages
    await store.messages.put([message("m0", "drone-1", second=9), message("m9", "drone-1", second=1)], "batch-b")
    assert [one.message["id"] for one in (await arrived(store, first.mark)).messages] == ["m9"]


async def test_what_has_a_position_up_to_the_visible_one_is_seen_by_reads_from_then_on(store: Store) -> None:
    await store.messages.put([message(f"m{n}", "drone-1", second=n) for n in range(5)], "batch-a")
    found = await arrived(store, "", 2)
    assert [one.position for one in found.messages] == sorted(one.position for one in found.messages)
    assert found.messages[-1].position <= int(found.mark) <= found.visible
    page = await store.messages.history("drone-1", None, None, ascending=True, limit=9, continuation=None)
    assert len(page.items) == 5
    while found.more:
        found = await store.flights.arrivals(found.mark, 2)
    assert found.visible >= int(found.mark)


async def test_more_than_asked_comes_the_next_time_and_none_is_lost(store: Store) -> None:
    await store.messages.put([message(f"m{n:02d}", f"drone-{n % 3}", second=n) for n in range(25)], "batch-a")
    found = await arrived(store, "", 10)
    seen = [one.message["id"] for one in found.messages]
    while found.more:
        found = await store.flights.arrivals(found.mark, 10)
        seen += [one.message["id"] for one in found.messages]
    assert sorted(seen) == [f"m{n:02d}" for n in range(25)]


async def test_a_head_is_replaced_only_in_the_version_that_was_read(store: Store) -> None:
    assert await store.flights.heads(["d", "e"]) == []
    new = FlightHead("d", not_flying(), by_mode=False, version=None)
    await save(store, new, put=[flight(0, 1)])
    other = FlightChange(FlightHead("e", not_flying(), by_mode=False, version=None), [flight(3, 4, "e")])
    late = FlightChange(new, [flight(5, 6)], ["d~0000~x"])
    # One that is refused keeps no other from being saved.
    assert await store.flights.save([late, other]) == ["d"]
    assert await store.flights.between("e", None, None) == [flight(3, 4, "e")]
    assert sorted(head.device_id for head in await store.flights.heads(["d", "e", "f"])) == ["d", "e"]
    read = await head_of(store, "d")
    assert read is not None
    assert (read.fold, read.by_mode) == (not_flying(), False)
    fold = {**not_flying(), "flight": flight(2, 3), "idleFrom": [at(1), at(1), 2**40, 0, "x"]}
    await save(store, FlightHead("d", fold, by_mode=True, version=read.version))  # type: ignore[arg-type]
    assert await store.flights.save([FlightChange(read, [], ["d~0000~x"])]) == ["d"]
    again = await head_of(store, "d")
    assert again is not None
    assert (again.fold, again.by_mode) == (fold, True)
    # What was refused had no effect at all.
    assert await store.flights.between("d", None, None) == [flight(0, 1)]


async def test_a_flight_is_put_replaced_found_and_deleted(store: Store) -> None:
    await saved(store, flight(0, 1), flight(0, 9, messages=7))
    assert await store.flights.get("d~0000~x") == flight(0, 9, messages=7)
    assert await store.flights.get("d~0001~x") is None
    head = await head_of(store, "d")
    assert head is not None
    await save(store, head, delete=["d~0000~x", "d~never~x"])
    assert await store.flights.get("d~0000~x") is None


async def test_more_flights_than_a_transaction_holds(store: Store) -> None:
    many = [flight(n, n) for n in range(150)]
    await save(store, FlightHead("d", not_flying(), by_mode=True, version=None), put=many)
    assert await store.flights.between("d", None, None) == many
    head = await head_of(store, "d")
    assert head is not None
    await save(store, head, delete=[one["id"] for one in many])
    assert await store.flights.between("d", None, None) == []


async def test_between_is_of_one_drone_and_inclusive_at_both_ends(store: Store) -> None:
    await saved(store, flight(10, 20), flight(30, 40), flight(15, 16, "e"))
    for low, high, found in ((20, 30, [10, 30]), (21, 29, []), (12, 13, [10]), (0, 10, [10]), (40, 99, [30])):
        kept = await store.flights.between("d", at(low), at(high))
        assert [one["startStamp"][2] for one in kept] == found, (low, high)


async def test_the_list_is_newest_first_by_overlap_in_pages(store: Store) -> None:
    await saved(store, flight(10, 20), flight(30, 40), flight(15, 16, "e"), flight(30, 31, "f"))
    starts = []
    continuation = None
    while True:
        page = await store.flights.list(FlightFilter(), 3, continuation)
        starts += [(one["startStamp"][2], one["deviceId"]) for one in page.items]
        continuation = page.continuation
        if continuation is None:
            break
    assert starts == [(30, "f"), (30, "d"), (15, "e"), (10, "d")]
    page = await store.flights.list(FlightFilter("d", at(20), at(30)), 9, None)
    assert [one["startStamp"][2] for one in page.items] == [10]


async def test_purge_takes_what_ended_before_and_leaves_heads(store: Store) -> None:
    await saved(store, flight(10, 20), flight(30, 40), flight(5, 6, "e"))
    assert await store.flights.purge(at(30), 1) == 1
    assert await store.flights.purge(at(30), 9) == 1
    assert [one["startStamp"][2] for one in await store.flights.between("d", None, None)] == [30]
    assert await head_of(store, "e") is not None


async def test_the_keeper_works_on_it(store: Store) -> None:
    def said(second: int, mode: str) -> Message:
        return message(f"m{second}", "d", second=second, flightMode=mode, enqueuedAt=at(second), sequenceNumber=second,
                       index=0, alerts=[])  # fmt: skip

    keeper = FlightKeeper(store.messages, store.flights, RULES)
    await store.messages.put([said(1, "takeoff"), said(2, "inflight"), said(4, "ready")], "a")
    await arrived(store, "")
    assert await keeper.catch_up(60)
    [kept] = await store.flights.between("d", None, None)
    assert (kept["messages"], kept["ended"]) == (2, True)
    mark = await store.flights.mark()
    await store.messages.put([said(3, "landing")], "b")
    await arrived(store, mark)
    assert await keeper.catch_up(60)
    [kept] = await store.flights.between("d", None, None)
    assert kept["messages"] == 3


async def test_a_range_inside_a_long_flight_finds_it_among_shorter_ones(store: Store) -> None:
    long = flight(100, 900, "long")
    short = [flight(start, start + 20, "short") for start in range(0, 900, 50)]
    await saved(store, *short, long)
    inside, before = (at(760), at(765)), (at(25), at(45))
    for device, wanted in (("long", [long]), ("short", [flight(750, 770, "short")]), (None, [short[15], long])):
        found = await store.flights.list(FlightFilter(device, *inside), 10, None)
        assert sorted(one["id"] for one in found.items) == sorted(one["id"] for one in wanted)
        assert (await store.flights.list(FlightFilter(device, *before), 10, None)).items == []
    assert await store.flights.between("short", *inside) == [flight(750, 770, "short")]
    assert await store.flights.between("short", *before) == []
    assert len(await store.flights.between("short", None, None)) == len(short)
