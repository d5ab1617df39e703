"""Rehearsed failures (``INJECT_FAULTS``): a store whose next calls fail, before or after they have had their effect."""

from __future__ import annotations

import builtins
import functools
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from pipeline.ports import (
    AlertStore,
    BatchLedger,
    DeadLetterStore,
    FlightStore,
    HeldBatches,
    MessageStore,
    ReferenceStore,
    Store,
    StoreUnavailable,
)

_LOG = logging.getLogger(__name__)

_READS = {
    "get",
    "coverage",
    "raw",
    "staged",
    "list",
    "stalled",
    "totals",
    "history",
    "enqueued_since",
    "written_by",
    "of_batch",
    "claims",
    "groups",
    "purged",
    "completed_between",
    "mark",
}
_WRITES = {
    "receive", "cover", "begin", "leave", "complete", "fail", "open_attempt", "stage", "recount", "count", "purge",
    "forget", "put", "claim", "correct", "resolve", "set_mark", "release", "record_failed_replay",
}  # fmt: skip


class Fault(Protocol):
    """``times`` calls of ``port`` (ledger | messages | deadletters) that do ``operation`` (read | write) fail ``when``
    (before | after) their effect."""

    @property
    def port(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def when(self) -> str: ...
    @property
    def times(self) -> int: ...


class _Countdown:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._left = fault.times
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0


class _FaultyPort:
    """Passes every call on, but for those that are to fail."""

    def __init__(self, port: Any, name: str, countdowns: Sequence[_Countdown]) -> None:
        self._port = port
        self._name = name
        self._countdowns = countdowns

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)
        operation = "read" if method in _READS else "write" if method in _WRITES else None
        mine = [one for one in self._countdowns if one.fault.operation == operation]
        return self._failing(call, method, mine) if mine else call

    def _failing(
        self, call: Callable[..., Awaitable[Any]], method: str, countdowns: builtins.list[_Countdown]
    ) -> Callable[..., Awaitable[Any]]:
        def fail(when: str) -> None:
            if any(one.take() for one in countdowns if one.fault.when == when):
                raise StoreUnavailable(f"injected fault: {self._name}.{method} fails {when} its effect")

        @functools.wraps(call)
        async def failing(*args: Any, **kwargs: Any) -> Any:
            fail("before")
            result = await call(*args, **kwargs)
            fail("after")
            return result

        return failing


class FaultyStore:
    """A ``Store`` around another one, with its faults."""

    ledger: BatchLedger
    messages: MessageStore
    dead_letters: DeadLetterStore
    held: HeldBatches
    flights: FlightStore
    reference: ReferenceStore
    alerts: AlertStore

    def __init__(self, store: Store, faults: Sequence[Fault]) -> None:
        self._store = store
        self._faults = faults
        ports: dict[str, Any] = {
            name: _FaultyPort(port, name, [_Countdown(fault) for fault in faults if fault.port == name])
            for name, port in (
                ("ledger", store.ledger),
                ("messages", store.messages),
                ("deadletters", store.dead_letters),
            )
        }
        self.ledger, self.messages, self.dead_letters = ports["ledger"], ports["messages"], ports["deadletters"]
        self.held = store.held
        self.flights = store.flights
        self.reference = store.reference
        self.alerts = store.alerts

    async def open(self) -> None:
        text = ", ".join(f"{f.port}.{f.operation}:{f.when}:{f.times}" for f in self._faults)
        _LOG.warning(
            "INJECT_FAULTS IS SET: THE STORE WILL FAIL ON PURPOSE (%s). Never set it outside of rehearsals.", text
        )
        await self._store.open()

    async def close(self) -> None:
        await self._store.close()

    async def health(self) -> None:
        await self._store.health()
