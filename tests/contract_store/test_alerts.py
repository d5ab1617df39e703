"""Alerts: one open episode of a code a drone, changed atomically; notes that stay until they are forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pipeline.ports import AlertFilter, InvalidContinuation, Store
from telemetry.episodes import Episode, absent, acknowledged, activated, cleared, told
from tests.support.episodes import active, ended, note, pending, seen
from tests.support.records import FAR_FUTURE, FAR_PAST, at


async def kept(store: Store, *episodes: Episode) -> None:
    for episode in episodes:
        assert await store.alerts.begin(episode)


async def listed(store: Store, **where: Any) -> list[str]:
    return [one["id"] for one in (await store.alerts.list(AlertFilter(**where), 100, None)).items]


async def test_one_begins_once_and_no_other_beside_it(store: Store) -> None:
    first = pending(0)
    await kept(store, first)
    assert await store.alerts.get(first["id"]) == first
    assert not await store.alerts.begin({**first, "seenAt": at(99)})
    assert not await store.alerts.begin(pending(5))  # the same code of the same drone
    await kept(store, pending(0, code="altitude_limit"), pending(0, "e"))
    assert await store.alerts.get(pending(5)["id"]) is None
    assert (await store.alerts.get(first["id"]) or first)["seenAt"] == first["seenAt"]


async def test_after_it_is_cleared_another_may_begin_but_not_the_same(store: Store) -> None:
    await kept(store, ended(0))
    assert not await store.alerts.begin(pending(0))
    await kept(store, pending(5))


async def test_a_change_through_all_of_its_life(store: Store) -> None:
    first = pending(0)
    await kept(store, first)
    raised = await store.alerts.change(first["id"], lambda one: activated(one, at(3)))
    assert raised == activated(first, at(3))
    assert await store.alerts.change(first["id"], lambda one: activated(one, at(9))) == raised
    gone = await store.alerts.change(first["id"], lambda one: absent(one, at(20)))
    assert gone is not None
    assert gone["absentSince"] == at(20)
    done = await store.alerts.change(first["id"], lambda one: cleared(one, at(30)))
    assert await store.alerts.get(first["id"]) == done == {**gone, "status": "cleared", "clearedAt": at(30)}
    await kept(store, pending(40))
    assert await store.alerts.change("nobody~low_battery~1", lambda one: one) is None
    assert await store.alerts.change("nonsense", lambda one: one) is None
    assert await store.alerts.get("nonsense") is None


async def test_changes_at_once_are_all_there(store: Store) -> None:
    first = active(0)
    await kept(store, first)
    await asyncio.gather(
        store.alerts.change(first["id"], lambda one: told(one, "raised", ["r"], at(5))),
        store.alerts.change(first["id"], lambda one: told(one, "cleared", ["r"], at(5))),
        store.alerts.change(first["id"], lambda one: acknowledged(one, at(6), None, "mine")),
    )
    found = await store.alerts.get(first["id"])
    assert found is not None
    assert (set(found["notices"]), found["note"]) == ({"raised", "cleared"}, "mine")


async def test_what_is_left_to_do(store: Store) -> None:
    waits, raised, untold, done = pending(3), active(2, "e"), ended(1, "f", settled=False), ended(0, "g")
    taken_up_late = seen(ended(4, "h"), 99)
    await kept(store, waits, raised, untold, done, taken_up_late)
    found = await store.alerts.unsettled()
    assert [one["id"] for one in found] == [one["id"] for one in (untold, raised, waits, taken_up_late)]


async def test_only_a_pending_one_is_dropped(store: Store) -> None:
    await kept(store, pending(0), active(0, "e"))
    for episode in (pending(0), pending(0), active(0, "e"), pending(0, "nobody")):
        await store.alerts.drop(episode["id"])
    await store.alerts.drop("nonsense")
    assert await store.alerts.get(pending(0)["id"]) is None
    assert await store.alerts.get(active(0, "e")["id"]) is not None
    await kept(store, pending(7))  # its place is free


async def test_listed_newest_first_by_every_filter(store: Store) -> None:
    episodes = [
        ended(0),
        active(10),
        seen(active(20, "e"), 50),
        seen(ended(30, "e", "altitude_limit"), 60),
        pending(40, "f"),
    ]
    await kept(store, *episodes)
    a, b, c, d = [one["id"] for one in episodes[:4]]
    assert await listed(store) == [d, c, b, a]
    assert await listed(store, status="active") == [c, b]
    assert await listed(store, status="cleared") == [d, a]
    assert await listed(store, acknowledged=True) == [d, c]
    assert await listed(store, acknowledged=False, device_id="d") == [b, a]
    assert await listed(store, code="altitude_limit") == [d]
    assert await listed(store, device_id="e", code="low_battery") == [c]
    assert await listed(store, raised_from=at(10), raised_to=at(30)) == [c, b]
    assert await listed(store, device_id="nobody") == []


async def test_pages_of_one_query_only(store: Store) -> None:
    await kept(store, *(active(0, f"drone-{n}") for n in range(5)))
    first = await store.alerts.list(AlertFilter(status="active"), 2, None)
    second = await store.alerts.list(AlertFilter(status="active"), 2, first.continuation)
    last = await store.alerts.list(AlertFilter(status="active"), 2, second.continuation)
    found = [one["deviceId"] for page in (first, second, last) for one in page.items]
    assert found == [f"drone-{n}" for n in (4, 3, 2, 1, 0)]
    assert last.continuation is None
    with pytest.raises(InvalidContinuation):
        await store.alerts.list(AlertFilter(), 2, first.continuation)


async def test_purged_once_cleared_for_long(store: Store) -> None:
    await kept(store, ended(0), ended(100, "e"), active(0, "f"), pending(0, "g"))
    await store.alerts.note([note("d", second=0), note("e", second=100)])
    assert await store.alerts.purge(at(60), 100) == 1
    assert await listed(store) == [ended(100, "e")["id"], active(0, "f")["id"]]
    assert [one.device_id for one in await store.alerts.notes(10)] == ["e"]
    assert await store.alerts.purge(FAR_FUTURE, 100) == 1
    assert await store.alerts.purge(FAR_PAST, 100) == 0
    assert len(await store.alerts.unsettled()) == 2


async def test_notes_stay_until_they_are_forgotten(store: Store) -> None:
    some = [note("d", "b1", 3), note("d", "b2", 1), note("e", "b1", 2, battery=0.1)]
    await store.alerts.note(some)
    await store.alerts.note([])
    assert await store.alerts.notes(10) == [some[1], some[2], some[0]]
    assert await store.alerts.notes(2) == [some[1], some[2]]
    again = replace(some[1], at=at(9))
    await store.alerts.note([again, again])
    await store.alerts.forget([some[1], some[2], note("nobody")])  # the first has been replaced meanwhile
    assert await store.alerts.notes(10) == [some[0], again]
    await store.alerts.forget([again, some[0]])
    await store.alerts.forget([again])
    assert await store.alerts.notes(10) == []
