"""A store and a durable client whose calls pass through a plan that may make them fail, or slow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aiohttp

from pipeline.ports import Store, StoreUnavailable

Call = Callable[[], Awaitable[Any]]


class Plan(Protocol):
    async def around(self, name: str, call: Call, error: Callable[[], Exception]) -> Any:
        """Make the call ``name`` (``ledger.begin``, ``client.start_new``), or raise ``error`` before or after it."""
        ...


class NthFails:
    """The ``number``-th call and those after it up to ``times`` of the same name fail before or after their effect."""

    def __init__(self, number: int, when: str = "before", times: int = 1) -> None:
        self.calls: list[str] = []
        self._number = number
        self._when = when
        self._left = times
        self._name: str | None = None

    async def around(self, name: str, call: Call, error: Callable[[], Exception]) -> Any:
        self.calls.append(name)
        if len(self.calls) - 1 == self._number:
            self._name = name
        fails = self._name == name and self._left > 0
        if fails:
            self._left -= 1
            if self._when == "before":
                raise error()
        result = await call()
        if fails:
            raise error()
        return result


class _Proxy:
    def __init__(self, inner: Any, name: str, plan: Plan, error: Callable[[], Exception]) -> None:
        self._inner, self._name, self._plan, self._error = inner, name, plan, error

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._inner, method)

        async def through(*args: Any, **kwargs: Any) -> Any:
            return await self._plan.around(f"{self._name}.{method}", lambda: call(*args, **kwargs), self._error)

        return through


class PlannedStore:
    """``Store`` whose ports follow the plan; ``inner`` is the store itself."""

    def __init__(self, inner: Store, plan: Plan) -> None:
        def error() -> Exception:
            return StoreUnavailable("planned")

        self.inner = inner
        self.ledger: Any = _Proxy(inner.ledger, "ledger", plan, error)
        self.messages: Any = _Proxy(inner.messages, "messages", plan, error)
        self.dead_letters: Any = _Proxy(inner.dead_letters, "dead_letters", plan, error)
        self.held: Any = _Proxy(inner.held, "held", plan, error)
        self.flights: Any = _Proxy(inner.flights, "flights", plan, error)
        self.reference: Any = _Proxy(inner.reference, "reference", plan, error)
        self.alerts: Any = _Proxy(inner.alerts, "alerts", plan, error)

    async def open(self) -> None: ...

    async def close(self) -> None:
        await self.inner.close()

    async def health(self) -> None: ...


def planned_client(inner: Any, plan: Plan) -> Any:
    return _Proxy(inner, "client", plan, lambda: aiohttp.ClientConnectionError("planned"))
