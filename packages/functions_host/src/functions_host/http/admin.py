"""The admin API: host status, the list of functions, and running one now."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from functions_host import __version__
from functions_host.clock import CLOCK
from functions_host.functions import FunctionInfo
from functions_host.http.server import json_response, read_body
from functions_host.selection import LeftOut

logger = logging.getLogger("functions_host.admin")

Trigger = Callable[[FunctionInfo, Any], Awaitable[None]]
_MAX_BODY = 104_857_600


class Refused(Exception):
    """This function cannot be run by the admin API; the text says what to do instead."""


class Admin:
    """Mounted at ``/admin``. `trigger` starts a function with an input and returns once it is under way."""

    def __init__(
        self,
        functions: Iterable[FunctionInfo],
        url_of: Callable[[FunctionInfo | LeftOut], str | None],
        trigger: Trigger,
        *,
        left_out: Iterable[LeftOut] = (),
        errors: Mapping[str, str] | None = None,
        warm_up: Callable[[], Awaitable[None]] | None = None,
        problems: Callable[[], list[str]] = list,
    ) -> None:
        """`errors`: why a function is in error, by its name; `warm_up` runs the warm-up triggers.

        `problems`: what does not work now though the host runs, for its status.
        """
        known: list[FunctionInfo | LeftOut] = [*functions, *left_out]
        self._functions = {function.name.lower(): function for function in known}
        self._url_of = url_of
        self._trigger = trigger
        self._errors = dict(errors or {})
        self._warm_up = warm_up
        self._problems = problems
        self._started = CLOCK.monotonic()
        self.state = "Initializing"

    async def handle(self, request: web.BaseRequest, path: str) -> web.Response:
        parts = [part for part in path.strip("/").split("/") if part]
        match [part.lower() for part in parts]:
            case ["host", "status"] if request.method == "GET":
                return json_response(self._status())
            case ["host", "ping"] if request.method in ("GET", "POST"):
                return web.Response(status=200)
            case ["warmup"] if request.method in ("GET", "POST"):
                return await self._warmed()
            case ["functions", name, "status"] if name in self._functions and request.method == "GET":
                error = self._errors.get(self._functions[name].name)
                return json_response({"isDisabled": self._is_off(name), "errors": [error] if error else None})
            case ["functions"] if request.method == "GET":
                return json_response([self._describe(request, function) for function in self._functions.values()])
            case ["functions", name] if name in self._functions:
                if request.method == "GET":
                    return json_response(self._describe(request, self._functions[name]))
                if request.method == "POST":
                    return await self._run(request, self._functions[name])
                return web.Response(status=405, headers={"Allow": "GET, POST"})
        return web.Response(status=404)

    async def _warmed(self) -> web.Response:
        if self.state != "Running":
            return web.Response(status=503, text="The host is starting or stopping.")
        if self._warm_up is not None:
            await self._warm_up()
        return web.Response(status=200)

    def _is_off(self, name: str) -> bool:
        return isinstance(self._functions[name], LeftOut)

    def _status(self) -> dict[str, Any]:
        problems = self._problems()
        return {
            "id": "functions_host",
            "state": self.state,
            # Like the real host's, it is there only when there is something in it.
            **({"errors": problems} if problems else {}),
            "version": f"4.{__version__}",
            "versionDetails": __version__,
            "platformVersion": "",
            "instanceId": "",
            "computerName": "",
            "processUptime": int((CLOCK.monotonic() - self._started) * 1000),
            "functionAppContentEditingState": "Unknown",
        }

    def _describe(self, request: web.BaseRequest, function: FunctionInfo | LeftOut) -> dict[str, Any]:
        base = f"{request.scheme}://{request.host}"
        url = self._url_of(function)
        return {
            "name": function.name,
            "script_href": None,
            "href": f"{base}/admin/functions/{function.name}",
            "invoke_url_template": None if url is None else f"{base}{url}",
            "language": "python",
            "config": {"name": function.name, "scriptFile": function.script, "bindings": function.bindings},
            "isDisabled": isinstance(function, LeftOut),
            "isDirect": False,
            "isProxy": False,
        }

    async def _run(self, request: web.BaseRequest, function: FunctionInfo | LeftOut) -> web.Response:
        if self.state != "Running":
            return web.Response(status=503, text="The host is starting or stopping.")
        if isinstance(function, LeftOut):
            return web.Response(status=400, text=f"The function {function.name} is not run: {function.reason}.")
        if function.kind == "httpTrigger":
            return web.Response(status=400, text="HTTP functions are run by their URL.")
        body = await read_body(request, _MAX_BODY)
        try:
            document = json.loads(body) if body.strip() else {}
        except (ValueError, RecursionError):
            return web.Response(status=400, text='The body must be JSON: {"input": ...}')
        if not isinstance(document, dict):
            return web.Response(status=400, text='The body must be a JSON object: {"input": ...}')
        try:
            await self._trigger(function, document.get("input"))
        except Refused as reason:
            return web.Response(status=400, text=str(reason))
        except RecursionError:
            return web.Response(status=400, text="The input is nested too deeply.")
        return web.Response(status=202)
