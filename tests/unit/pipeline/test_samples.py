"""Samples of the totals: taken while there is work, none when nothing happens, and no more than an hour of them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import samples
from pipeline.ports import StoreUnavailable, Totals
from pipeline.samples import KEPT_SECONDS, LINGER_SECONDS, MOST, SECONDS, Samples
from telemetry.times import from_datetime

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)


class World:
    """A clock that moves when somebody sleeps, and a ledger that counts how often it is asked."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.asked = 0
        self.down = False
        self.samples = Samples(lambda: self.seconds, self.sleep)
        self.store: Any = SimpleNamespace(ledger=self)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)

    async def totals(self) -> Totals:
        self.asked += 1
        if self.down:
            raise StoreUnavailable("away")
        return Totals(messages=self.asked, batches={"running": 2, "received": 1, "failed": 4})

    def ago(self, seconds: float) -> str:
        return from_datetime(BEGAN + timedelta(seconds=self.seconds - seconds))

    async def done(self) -> None:
        assert self.samples._task is not None
        await self.samples._task


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(samples, "ago", world.ago)
    monkeypatch.setattr(samples, "now", lambda: world.ago(0))
    return world


async def test_work_is_sampled_until_a_while_after_it(world: World) -> None:
    world.samples.touch(world.store)
    world.samples.touch(world.store)
    await world.done()
    assert world.seconds == LINGER_SECONDS
    assert world.asked == LINGER_SECONDS / SECONDS + 1
    kept = world.samples.since(None)
    assert [sample.messages for sample in kept] == list(range(1, world.asked + 1))
    assert (kept[0].unfinished, kept[0].failed) == (3, 4)
    # Nothing happens, so nothing is asked; then there is work again.
    world.seconds += 600
    world.samples.touch(world.store)
    await world.done()
    assert world.asked == 2 * (LINGER_SECONDS / SECONDS + 1)


async def test_an_hour_is_kept_and_a_part_of_it_is_told(world: World) -> None:
    for number in range(MOST + 500):
        world.samples.note(Totals(messages=number))
        world.seconds += SECONDS
    kept = world.samples.since(None)
    assert len(kept) == KEPT_SECONDS / SECONDS - 1
    assert kept[-1].messages == MOST + 499
    assert world.samples.since(kept[-3].at) == kept[-2:]
    assert world.samples.since("2000-01-01T00:00:00.000000Z") == kept


async def test_what_is_asked_for_anyway_is_a_sample_but_not_a_hundred(world: World) -> None:
    for _ in range(20):
        world.samples.note(Totals(messages=1))
        world.seconds += 1
    assert len(world.samples.since(None)) == 20 / (SECONDS - 1)


async def test_a_store_that_is_away_leaves_a_gap(world: World) -> None:
    world.down = True
    world.samples.touch(world.store)
    await world.done()
    assert world.samples.since(None) == []
    world.down = False
    world.samples.touch(world.store)
    await world.done()
    assert world.samples.since(None) != []
