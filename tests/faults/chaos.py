"""A hub, a host and a store that misbehave by chance, from one seed: what went wrong can be played again.

Run for longer than in the suite: ``python -m tests.faults.chaos [SECONDS] [FIRST_SEED]``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

import settings
from activities import staging
from pipeline import told, windows
from pipeline.attempts import replay_batch
from pipeline.intake import new_batch
from pipeline.ports import Conflict, StoreUnavailable
from pipeline.records import BatchStatus
from pipeline.sweep import Sweeper
from telemetry.merge import registers
from telemetry.model import Delivery
from telemetry_admin import verify
from tests.support.engine import Engine
from tests.support.faults.model import FIELDS, expected, messages_in
from tests.support.faults.proxies import Call, PlannedStore, planned_client
from tests.support.pipeline import all_batches, all_letters, all_messages, delivery, make_pipeline, open_sqlite

DEVICES = [f"drone-{i}" for i in range(6)]
PARTITIONS = ("0", "1")
SWEEPING = replace(settings.read_settings({}).sweeping, stalled_seconds=-1)


class Crash(BaseException):
    """The process is gone: whoever waits for an answer gets none."""


@dataclass
class Luck:
    """A plan (see ``proxies``) that fails calls by chance, before or after their effect, and slows all of them."""

    chance: random.Random
    faults: float = 0.0
    crashes: float = 0.0
    happened: Counter[str] = field(default_factory=Counter)

    async def around(self, name: str, call: Call, error: Callable[[], Exception]) -> Any:
        for _ in range(self.chance.randrange(3)):
            await asyncio.sleep(0)
        if self.chance.random() < self.faults:
            self.happened["before"] += 1
            raise error()
        result = await call()
        if self.chance.random() < self.crashes:
            self.happened["crash"] += 1
            raise Crash
        if self.chance.random() < self.faults:
            self.happened["after"] += 1
            raise error()
        return result


def make_events(chance: random.Random, number: int) -> dict[str, list[Delivery]]:
    """Per partition what the hub holds. Gateways repeat and reorder what drones send; some bodies are broken."""
    hub: dict[str, list[Delivery]] = {partition: [] for partition in PARTITIONS}
    sent: list[dict[str, Any]] = []
    for count in range(number):
        message: dict[str, Any] = {
            "deviceId": chance.choice(DEVICES),
            # No two new messages have one time, so the model need not know how ties are broken.
            "timestamp": f"2026-01-01T00:{count // 60 % 60:02d}:{count % 60:02d}.{count:06d}Z",
            "battery": chance.choice([0.1, 0.5, 0.9]) if chance.random() > 0.1 else 7,
        }
        for name in FIELDS[1:]:
            if chance.random() < 0.5:
                message[name] = chance.randrange(300)
        sent.append(message)
    late = sorted(sent, key=lambda _: chance.random())
    while late:
        partition = chance.choice(PARTITIONS)
        size = chance.choice([1, 1, 1, 3])
        bundle, late = late[:size], late[size:]
        if chance.random() < 0.2:
            bundle.append(chance.choice(sent))
        body: Any = bundle if len(bundle) > 1 or chance.random() < 0.2 else bundle[0]
        if chance.random() < 0.05:
            hub[partition].append(delivery(len(hub[partition]), b"\xff broken", partition=partition))
        hub[partition].append(delivery(len(hub[partition]), body, partition=partition))
    return hub


def forget() -> None:
    """What a process remembers goes with it."""
    for memory in (staging._recent, told._of_store, windows._of_store):
        memory.clear()


@dataclass
class Run:
    """One seed's life: deliveries with faults, then everything that heals, then the comparison with the model."""

    seed: int
    folder: Path
    events: int = 60
    faults: float = 0.03
    signal_window: float = 0.0
    in_memory: bool = False  # what a step leaves to the next is only remembered, and gone with the process

    async def play(self) -> Counter[str]:
        chance = random.Random(self.seed)
        inner = await open_sqlite(self.folder)
        luck = Luck(chance)
        engine = Engine(
            {},
            choose=lambda number: chance.randrange(number),
            lose_results=lambda: chance.random() < self.faults,
        )
        pipeline = make_pipeline(PlannedStore(inner, luck), engine, signal_window=self.signal_window)
        pipeline.in_memory = self.in_memory
        pipeline.client = planned_client(engine.client, luck)
        hub = make_events(chance, self.events)
        try:
            luck.faults = luck.crashes = self.faults
            received = await self._deliver(chance, pipeline, luck, hub)
            luck.faults = luck.crashes = 0.0
            await self._heal(pipeline, luck)
            await self._compare(inner, engine, hub, received)
        finally:
            await inner.close()
        wrong = [text for found in verify.findings(self.folder, self.folder) for text in found.wrong]
        assert wrong == [], wrong
        return luck.happened

    async def _deliver(self, chance: random.Random, pipeline: Any, luck: Luck, hub: dict[str, list[Delivery]]) -> Any:
        """Each partition's events in batches of any size; after a crash from the checkpoint on, cut differently."""
        received: dict[str, list[Delivery]] = {}
        checkpoint = dict.fromkeys(PARTITIONS, 0)
        while any(checkpoint[partition] < len(hub[partition]) for partition in PARTITIONS):
            partition = chance.choice([p for p in PARTITIONS if checkpoint[p] < len(hub[p])])
            start = checkpoint[partition]
            batch = hub[partition][start : start + chance.randrange(1, 9)]
            try:
                await self._until_kept(pipeline, batch)
                received[new_batch(batch).id] = batch
                if chance.random() < 0.9:
                    checkpoint[partition] = start + len(batch)
                await self._work(chance, pipeline, luck)
            except Crash:
                forget()
                # What had reached the ledger before the crash counts; the checkpoint is where it was.
                if await pipeline.store.inner.ledger.get(new_batch(batch).id) is not None:
                    received[new_batch(batch).id] = batch
        return received

    async def _until_kept(self, pipeline: Any, batch: list[Delivery]) -> None:
        """The function's retry policy: the same batch again until the function returns."""
        while True:
            try:
                await pipeline.receive(batch)
                return
            except StoreUnavailable:
                continue

    async def _work(self, chance: random.Random, pipeline: Any, luck: Luck) -> None:
        """The engine gets somewhere; now and then the sweeper or a person comes by."""
        if chance.random() < 0.3:
            forget()  # the next steps run in another process
        workers = [self._steps(pipeline, chance.randrange(20)) for _ in range(chance.randrange(1, 4))]
        results = await asyncio.gather(*workers, return_exceptions=True)
        if chance.random() < 0.2:
            await self._patiently(Sweeper().sweep(pipeline.store, pipeline.durable, SWEEPING))
            await self._patiently(pipeline.sweep_held())
        if chance.random() < 0.2:
            for batch in chance.sample(await all_batches(pipeline.store.inner), 1):
                await self._patiently(replay_batch(pipeline.store, pipeline.durable, batch.id))
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _steps(self, pipeline: Any, number: int) -> None:
        await pipeline.engine.run(number)

    async def _patiently(self, act: Any) -> None:
        with contextlib.suppress(Conflict, StoreUnavailable, aiohttp.ClientError):
            await act

    async def _heal(self, pipeline: Any, luck: Luck) -> None:
        for _ in range(30):
            await pipeline.engine.run_side_by_side(4)
            unfinished = 0
            for batch in await all_batches(pipeline.store.inner):
                if batch.status is BatchStatus.FAILED:
                    await replay_batch(pipeline.store, pipeline.durable, batch.id)
                unfinished += batch.status is not BatchStatus.COMPLETED
            if not unfinished and not (await pipeline.store.inner.held.totals()).batches:
                return
            await Sweeper().sweep(pipeline.store, pipeline.durable, SWEEPING)
            await pipeline.sweep_held()
        raise AssertionError("not everything came to an end")

    async def _compare(self, inner: Any, engine: Engine, hub: Any, received: dict[str, list[Delivery]]) -> None:
        model = expected(one for partition in PARTITIONS for one in hub[partition])
        batches = {batch.id: batch for batch in await all_batches(inner)}
        assert batches.keys() == received.keys()
        for batch_id, deliveries in received.items():
            counts = batches[batch_id].counts
            assert counts is not None
            assert counts.messages == messages_in(deliveries)
            assert counts.messages == counts.stored + counts.duplicates + counts.rejected
        kept = [message for messages in (await all_messages(inner, DEVICES)).values() for message in messages]
        assert len(kept) == len({message["id"] for message in kept}) == len(model.accepted)
        assert sum(batch.counts.stored for batch in batches.values() if batch.counts) == len(kept)
        letters = await all_letters(inner)
        found = {(letter["partition"], letter["sequenceNumber"], letter["index"]) for letter in letters}
        assert len(letters) == len(found)
        assert found == model.rejected
        assert sum(batch.counts.rejected for batch in batches.values() if batch.counts) == len(letters)
        drones = {key: registers(json.loads(state or "null")) for key, state in engine.entities.items()}
        shown = {key: {name: known[name][0] for name in FIELDS if name in known} for key, known in drones.items()}
        assert shown == model.drones


async def play_many(seeds: Any, until: float, folder: Path) -> int:
    played = 0
    for seed in seeds:
        if time.monotonic() > until:
            break
        try:
            in_memory = seed % 4 >= 2
            await Run(seed, folder / str(seed), signal_window=0.05 * (seed % 2), in_memory=in_memory).play()
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        played += 1
    return played


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    first = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**9)
    print(f"chaos for {seconds:.0f} s from seed {first}")
    with tempfile.TemporaryDirectory() as name:
        number = asyncio.run(play_many(range(first, first + 10**9), time.monotonic() + seconds, Path(name)))
    print(f"{number} seeds, nothing lost, nothing twice")
