"""The SDK's durable clients in a worker: what they ask goes to the engine over the worker's channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from functions_host.durable.transport import ManagementRequest, ManagementResponse
from functions_host.worker.runtime import Runtime


class DurableClients:
    """Called from whatever event loop; `loop` is the worker's."""

    def __init__(self, runtime: Runtime, loop: asyncio.AbstractEventLoop) -> None:
        self._runtime = runtime
        self._loop = loop

    async def __call__(self, request: ManagementRequest) -> ManagementResponse:
        if self._loop is asyncio.get_running_loop():
            return await self._ask(request)
        # A function may run on an event loop of its own.
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._ask(request), self._loop))

    def signal(self, name: str, key: str, operation: str, text: str) -> Awaitable[int]:
        """The status that the host answers with once the signal is stored, or is not."""
        if self._loop is asyncio.get_running_loop():
            return self._runtime.signal((name, key, operation, text))
        return asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self._signal((name, key, operation, text)), self._loop)
        )

    async def _signal(self, signal: tuple[str, str, str, str]) -> int:
        return await self._runtime.signal(signal)

    async def _ask(self, request: ManagementRequest) -> ManagementResponse:
        status, body = await self._runtime.ask(
            request.method, request.path, list(request.query), dict(request.headers), request.body
        )
        return ManagementResponse(status, body=body)
