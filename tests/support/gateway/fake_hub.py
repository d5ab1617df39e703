"""A hub on paper: keeps what it acknowledged, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from gateway.forward import Forwarder
from gateway.hub import Unsendable
from gateway.spool import Spool, Waiting
from gateway.target import HubUnavailable


class FakeHub:
    """Can be away, refuse, acknowledge unheard, and take little at a time."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.properties: list[dict[str, str] | None] = []
        self.away: Exception | None = None
        self.unheard = 0
        self.most = 1000
        self.largest = 1_000_000
        self.tries = 0
        self.tried_often = asyncio.Event()

    async def send(self, key: str, messages: Sequence[Waiting]) -> int:
        self.tries += 1
        if self.tries == 3:
            self.tried_often.set()
        await asyncio.sleep(0)
        if self.away is not None:
            raise self.away
        if len(messages[0].body) > self.largest:
            raise Unsendable("no")
        taken = [m for m in messages[: self.most] if len(m.body) <= self.largest]
        assert {m.key for m in taken} == {key}
        self.got += [(m.key, m.body) for m in taken]
        self.properties += [m.properties for m in taken]
        if self.unheard:
            self.unheard -= 1
            raise HubUnavailable("the answer was lost")
        return len(taken)

    async def close(self) -> None: ...

    def of(self, key: str) -> list[bytes]:
        return [body for k, body in self.got if k == key]

    def messages(self) -> list[dict[str, Any]]:
        return [orjson.loads(body) for _, body in self.got]


def forwarding(folder: Path, hub: FakeHub, limit: int = 10_000_000) -> Forwarder:
    """A started forwarder from a spool in the folder to this hub."""
    forwarder = Forwarder(Spool(folder, limit), lambda: hub, first_pause=0.01)
    forwarder.start()
    return forwarder
