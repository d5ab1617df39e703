"""The durable engine inside the host: its management API on HTTP and the durable client's binding.

Imported only for apps that use Durable Functions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiohttp import web
from azure.functions.meta import Datum

from functions_host.durable import DurableEngine, DurableOptions, ManagementRequest
from functions_host.durable_left_out import BesideLeftOut
from functions_host.durable_runner import AppRunner
from functions_host.functions import FunctionInfo, Slot
from functions_host.http.server import read_body
from functions_host.invoker import Invoker
from functions_host.selection import LeftOut

PREFIX = "runtime/webhooks/durabletask"
KINDS = frozenset({"orchestrationTrigger", "activityTrigger", "entityTrigger"})


def uses_durable(functions: list[FunctionInfo]) -> bool:
    return any(
        function.kind in KINDS or any(binding["type"] == "durableClient" for binding in function.bindings)
        for function in functions
    )


class DurableService:
    """One engine for one app; its data lies in ``<data>/durable``."""

    def __init__(
        self,
        functions: list[FunctionInfo],
        invoker: Invoker,
        host_json: dict[str, Any],
        data_dir: Path,
        max_body: int,
        left_out: Iterable[LeftOut] = (),
    ) -> None:
        folder = data_dir / "durable"
        folder.mkdir(parents=True, exist_ok=True)
        options = DurableOptions.from_host_json(host_json)
        self._engine = DurableEngine(folder, options, BesideLeftOut(AppRunner(functions, invoker), left_out))
        self._max_body = max_body
        self._bindings: dict[tuple[str | None, str | None], Any] = {}

    async def start(self, base_url: str) -> None:
        self._engine.base_url = base_url
        await self._engine.start()
        self._engine.install_sdk_acceleration()

    async def stop(self, grace: float) -> None:
        await self._engine.stop(grace)

    def client_datum(self, slot: Slot) -> Any:
        """What the SDK's durable client is built from; the same text for the same task hub and connection."""
        key = (slot.binding.get("taskHub"), slot.binding.get("connectionName"))
        datum = self._bindings.get(key)
        if datum is None:
            datum = self._bindings[key] = Datum(self._engine.client_binding(*key), "string")
        return datum

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
