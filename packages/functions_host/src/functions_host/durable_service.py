"""The durable engine inside the host: its management API on HTTP and the durable client's binding.

Imported only for apps that use Durable Functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from functions_host.durable import DurableEngine, DurableOptions, ManagementRequest
from functions_host.durable.clients import Signal
from functions_host.durable.runner import FunctionRunner
from functions_host.durable_left_out import BesideLeftOut
from functions_host.durable_runner import AppRunner
from functions_host.errors import StartError
from functions_host.functions import FunctionInfo
from functions_host.http.server import read_body
from functions_host.invoker import Invoker
from functions_host.selection import LeftOut

PREFIX = "runtime/webhooks/durabletask"


def durable_options(host_json: dict[str, Any]) -> DurableOptions:
    """`extensions.durableTask`, checked. Raises StartError."""
    try:
        return DurableOptions.from_host_json(host_json)
    except ValueError as error:
        raise StartError(str(error)) from None


class DurableService:
    """One engine for one app; its data lies in ``<data>/durable``."""

    def __init__(
        self,
        functions: list[FunctionInfo],
        invoker: Invoker,
        host_json: dict[str, Any],
        data_dir: Path,
        max_body: int,
        left_out: Sequence[LeftOut] = (),
        rpc_token: str = "",
    ) -> None:
        """`rpc_token`: a part of the path below which the app's own clients ask, where nobody else may."""
        folder = data_dir / "durable"
        folder.mkdir(parents=True, exist_ok=True)
        runner: FunctionRunner = AppRunner(functions, invoker)
        if left_out:
            runner = BesideLeftOut(runner, left_out)
        self._engine = DurableEngine(folder, durable_options(host_json), runner)
        self._engine.rpc_token = rpc_token
        self._max_body = max_body
        self._functions = functions

    async def start(self, base_url: str) -> None:
        self._engine.base_url = base_url
        await self._engine.start()

    async def finish(self, grace: float) -> None:
        """See DurableEngine.finish."""
        await self._engine.finish(grace)

    async def close(self) -> None:
        await self._engine.close()

    def signal(
        self, path: str, query: list[tuple[str, str]], body: bytes, stored: Callable[[BaseException | None], None]
    ) -> bool:
        """See DurableEngine.signal."""
        return self._engine.signal(path, query, body, stored)

    def signal_all(
        self, signals: Sequence[Signal], stored: Callable[[list[int], BaseException | None], None]
    ) -> list[Signal]:
        """See DurableEngine.signal_all."""
        return self._engine.signal_all(signals, stored)

    async def ask(
        self, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """What a durable client in a worker asks; see ManagementRequest."""
        request = ManagementRequest(method, path, query, headers, body, self._engine.base_url)
        answer = await self._engine.handle_management(request)
        return answer.status, answer.body

    @property
    def problem(self) -> str | None:
        """What the engine's last write failed with, until one succeeds."""
        failed = self._engine.failed_write
        return None if failed is None else f"the durable engine cannot write: {failed}"

    def clients(self) -> list[tuple[Any, ...]]:
        """Task hub, connection name, and what the SDK's durable client is built from, of each such binding."""
        keys = {
            (binding.get("taskHub"), binding.get("connectionName"))
            for function in self._functions
            for binding in function.bindings
            if binding["type"] == "durableClient"
        }
        return [(*key, self._engine.client_binding(*key)) for key in keys]

    @property
    def rpc_base_url(self) -> str:
        return self._engine.rpc_base_url

    async def handle(self, request: web.BaseRequest, path: str) -> web.Response:
        """One request of the management API; `path` is the raw path below the prefix."""
        answer = await self._engine.handle_management(
            ManagementRequest(
                method=request.method,
                path=path,
                query=list(request.query.items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await read_body(request, self._max_body),
                base_url=f"{request.scheme}://{request.host}",
            )
        )
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def start_orchestration(self, name: str, given: Any) -> str | None:
        """Start an orchestration with a JSON input; returns why not, or None."""
        body = b"" if given is None else json.dumps(given).encode()
        headers = {"content-type": "application/json"}
        request = ManagementRequest("POST", f"/orchestrators/{name}", headers=headers, body=body)
        answer = await self._engine.handle_management(request)
        return None if answer.status < 400 else answer.body.decode("utf-8", "replace")
