"""A pipeline under everything that moves its counts, in any order and at once, with crashes between any two writes; and
what must hold whenever it has come to rest."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from activities import staging
from pipeline.attempts import replay_batch, replay_batches
from pipeline.dead_letters import (
    StillRejected,
    discard_dead_letter,
    replay_dead_letter,
    replay_dead_letters,
)
from pipeline.ports import BatchFilter, Conflict, DeadLetterFilter, Store, StoreUnavailable
from pipeline.records import BatchStatus
from pipeline.sweep import Sweeper
from settings import read_settings
from telemetry.model import DeadLetter, Delivery, Message
from telemetry.rules import Rules
from telemetry.vocabulary import LETTER_STATUSES
from tests.support.faults.proxies import Call, PlannedStore
from tests.support.pipeline import Pipeline, all_batches, all_letters, all_messages, delivery, make_pipeline

DEVICES = ("a", "b")
STRICT = Rules(altitude_maximum=20_000)
LOOSE = replace(STRICT, altitude_maximum=50_000)
STALLED_AT_ONCE = replace(read_settings({}).sweeping, stalled_seconds=-1, stuck_seconds=-1, max_sweeps=1000)


class Crash:
    """The ``after``-th write from now on fails, before or after its effect; what follows works."""

    def __init__(self) -> None:
        self.left = -1
        self.when = "before"

    async def around(self, name: str, call: Call, error: Callable[[], Exception]) -> Any:
        await asyncio.sleep(0)  # others may come in between
        self.left -= 1
        if self.left == 0 and self.when == "before":
            raise error()
        hit = self.left == 0
        result = await call()
        await asyncio.sleep(0)
        if hit:
            raise error()
        return result


class World:
    """``rules`` is what the settings say at the moment."""

    def __init__(self, store: Store) -> None:
        self.inner = store
        self.crash = Crash()
        self.pipeline: Pipeline = make_pipeline(PlannedStore(store, self.crash))
        self.pipeline.page_size = 5  # so that batches have several
        self.pipeline.in_memory = True
        self.deliveries: list[Delivery] = []
        self.sweeper = Sweeper()
        self.rules = STRICT

    @property
    def rules(self) -> Rules:
        return self.pipeline.rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self.pipeline.rules = rules

    async def ingest(self, bodies: Sequence[Any]) -> None:
        start = len(self.deliveries)
        new = [delivery(start + number, body) for number, body in enumerate(bodies)]
        self.deliveries += new
        await self.redeliver(start, len(new))

    async def redeliver(self, start: int, number: int) -> None:
        """Until it works, as the trigger's retries see to."""
        while True:
            try:
                await self.pipeline.receive(self.deliveries[start : start + number])
            except StoreUnavailable:
                continue
            return

    def forget(self) -> None:
        """What a process remembers between the steps goes with it."""
        staging._recent.clear()

    async def run(self, steps: int = 1_000_000) -> None:
        await self.pipeline.engine.run(steps)

    async def sweep(self) -> None:
        await self._asked(self.sweeper.sweep(self.pipeline.store, self.pipeline.durable, STALLED_AT_ONCE))

    async def replay_batch(self, choose: Callable[[list[Any]], Any]) -> None:
        if batches := await all_batches(self.inner):
            await self._asked(replay_batch(self.pipeline.store, self.pipeline.durable, choose(batches).id))

    async def replay_batches(self) -> None:
        where = BatchFilter(frozenset({BatchStatus.COMPLETED, BatchStatus.FAILED}))
        await self._asked(replay_batches(self.pipeline.store, self.pipeline.durable, where, 100))

    async def replay_letter(self, choose: Callable[[list[Any]], Any]) -> None:
        if letters := await all_letters(self.inner):
            await self._asked(replay_dead_letter(self.pipeline.store, self.pipeline.durable, choose(letters)["id"]))

    async def replay_letters(self) -> None:
        where = DeadLetterFilter(status="open")
        await self._asked(replay_dead_letters(self.pipeline.store, self.pipeline.durable, where, 1000))

    async def discard(self, choose: Callable[[list[Any]], Any]) -> None:
        if letters := await all_letters(self.inner):
            letter_id = choose(letters)["id"]
            await self._asked(discard_dead_letter(self.pipeline.store, self.pipeline.durable, letter_id, "x"))

    async def purge(self) -> None:
        await self.inner.ledger.purge("9", 1000)

    async def _asked(self, request: Awaitable[Any]) -> None:
        """Somebody asks once; whether it works is seen at rest."""
        try:
            await request
        except (Conflict, StillRejected, KeyError, StoreUnavailable):
            return

    async def rest(self) -> None:
        """Nothing fails any more, and all that is left undone is done: by the engine, the sweeper, and a person."""
        self.crash.left = -1
        for _ in range(20):
            await self.run()
            await self.sweep()
            await self.run()
            where = BatchFilter(frozenset({BatchStatus.FAILED}))
            await replay_batches(self.pipeline.store, self.pipeline.durable, where, 100)
            await self.run()
            claims = await self.inner.dead_letters.claims("9", 10)
            batches = await all_batches(self.inner)
            if not claims and all(batch.status is BatchStatus.COMPLETED for batch in batches):
                return
        raise AssertionError(f"no rest: {batches} {claims}")

    async def check(self) -> None:
        batches = await all_batches(self.inner)
        rows = Counter(message["batchId"] for message in await self._rows())
        letters = await all_letters(self.inner)
        refused = _refused(letters)
        for batch in batches:
            counts = batch.counts
            assert counts is not None
            found = (counts.stored, counts.rejected)
            assert found == (rows[batch.id], refused[batch.id]), (batch, rows[batch.id], refused[batch.id])
            assert counts.messages == counts.stored + counts.duplicates + counts.rejected
            assert counts.duplicates >= 0
        totals = await self.inner.ledger.totals()
        assert totals.messages == totals.stored + totals.duplicates + totals.rejected
        # Of purged batches too.
        assert totals.stored == sum(rows.values())
        assert totals.rejected == sum(refused.values())
        by_status = Counter(letter["status"] for letter in letters)
        letter_totals = await self.inner.dead_letters.totals()
        assert letter_totals.dead_letters == {name: by_status[name] for name in LETTER_STATUSES}

    async def _rows(self) -> list[Message]:
        return [message for some in (await all_messages(self.inner, DEVICES)).values() for message in some]


def _refused(letters: Iterable[DeadLetter]) -> Counter[str]:
    refused: Counter[str] = Counter()
    for letter in letters:
        if letter["status"] in ("open", "discarded"):
            refused[letter["batchId"]] += letter["messages"]
    return refused
