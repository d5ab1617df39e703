"""A hub in memory that refuses, fails and waits when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from simulator.fleet import Outgoing


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until the condition holds. Raises TimeoutError."""

    async def poll() -> None:
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), seconds)


class FakeHub:
    """Two partitions by even and odd drones; ``failures`` says for each call in turn what goes wrong with it."""

    def __init__(self, *failures: Exception | None, most: int = 1000) -> None:
        self.failures = list(failures)
        self.received: dict[str, list[Outgoing]] = {"0": [], "1": []}
        self.gates = {partition: asyncio.Event() for partition in self.received}
        self.arrived = {partition: asyncio.Event() for partition in self.received}
        self.most = most
        self.calls = 0
        self.closed = False
        for gate in self.gates.values():
            gate.set()

    async def open(self) -> Sequence[str]:
        await asyncio.sleep(0)
        self._maybe_fail()
        return list(self.received)

    def partition_of(self, outgoing: Outgoing) -> str:
        return str(outgoing.drone % 2)

    async def send(self, partition: str, events: Sequence[Outgoing]) -> int:
        await self.gates[partition].wait()
        await asyncio.sleep(0)
        self._maybe_fail()
        taken = events[: self.most]
        self.received[partition] += taken
        self.arrived[partition].set()
        return len(taken)

    async def close(self) -> None:
        self.closed = True

    def _maybe_fail(self) -> None:
        self.calls += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
