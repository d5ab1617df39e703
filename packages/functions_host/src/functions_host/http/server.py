"""The HTTP listener: functions by route, the admin API, and the Durable management API."""

from __future__ import annotations

import errno
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from functions_host.clock import IDS
from functions_host.errors import FunctionFailed, StartError
from functions_host.functions import FunctionInfo
from functions_host.http.acceptor import Acceptor
from functions_host.http.convert import request_payload, response_of
from functions_host.http.cors import Cors
from functions_host.http.guard import Guard
from functions_host.http.protocol import SERVER, give_up_body, refuse_large_headers, server
from functions_host.http.route_rules import route_of
from functions_host.http.routes import Table, decode_path
from functions_host.invoker import Invoker
from functions_host.selection import LeftOut
from functions_host.tasks import Supervised, supervise

logger = logging.getLogger("functions_host.http")

Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
METHODS = ("GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS")


class HttpServer:
    """Serves one app. `mounts` are path prefixes with a handler of their own (admin, durable); longest first."""

    def __init__(
        self,
        invoker: Invoker,
        *,
        route_prefix: str,
        max_body: int,
        cors: Cors | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._invoker = invoker
        self._prefix = route_prefix
        self._max_body = max_body
        self._cors = cors
        self._guard = guard or Guard(cors=cors)
        self._table = Table()
        self._mounts: list[tuple[str, Handler, bool]] = []
        self._runner: web.ServerRunner | None = None
        self._acceptor: Acceptor | None = None
        self._watch: Supervised | None = None
        self.accepting = False

    def add_function(self, function: FunctionInfo | LeftOut) -> None:
        """One that is not run keeps its route, and answers 404 there, as on the real host."""
        route = route_of(function)
        methods = function.trigger.get("methods") or METHODS
        template = f"{self._prefix}/{route.lstrip('/')}" if self._prefix else route
        self._table.add(template, methods, function, f"function {function.name!r}")

    def mount(self, prefix: str, handler: Handler, *, secret: bool = False) -> None:
        """Requests below ``/prefix`` (lower case) go to `handler`, with the rest of the raw path. `secret`: who knows
        it may."""
        self._mounts.append((f"/{prefix.strip('/')}", handler, secret))
        self._mounts.sort(key=lambda known: -len(known[0]))

    async def start(self, listener: socket.socket) -> None:
        connections = server(self._handle)
        self._runner = web.ServerRunner(connections, shutdown_timeout=1.0)
        await self._runner.setup()
        self._acceptor = Acceptor(listener, connections, lambda: len(connections.connections), connections.shed)
        try:
            self._acceptor.start()
        except OSError as error:
            raise StartError(f"cannot listen on {listener.getsockname()}: {error}") from None
        self._watch = supervise(connections.watch, "the watch over HTTP connections")

    async def stop_listening(self) -> None:
        """Take no new connections; requests on open ones get 503."""
        self.accepting = False
        if self._acceptor is not None:
            self._acceptor.stop()

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            self._guard.check(request)
            if self._cors is not None and (preflight := self._cors.preflight(request)) is not None:
                return preflight
            refuse_large_headers(request)
            response = await self._dispatch(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=error.text, headers=error.headers)
        response.headers["Server"] = SERVER
        if self._cors is not None:
            self._cors.allow(request, response)
        return response

    async def _dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = request.raw_path.partition("?")[0]
        for prefix, handler, secret in self._mounts:
            if raw[: len(prefix)].lower() == prefix and raw[len(prefix) : len(prefix) + 1] in ("", "/"):
                if not secret:
                    self._guard.check_management(request)
                return await handler(request, raw[len(prefix) :])
        if not self.accepting:
            return web.Response(status=503, text="The host is starting or stopping.", headers={"Retry-After": "1"})
        found = self._table.find(request.method, decode_path(raw).strip("/"))
        if isinstance(found, frozenset):
            return _not_found(raw, found)
        route, values = found
        if isinstance(route.target, LeftOut):
            return web.Response(status=404)
        return await self._run(request, route.target, values)

    async def _run(self, request: web.BaseRequest, function: FunctionInfo, values: dict[str, str]) -> web.Response:
        body = await read_body(request, self._max_body)
        invocation_id = IDS.guid()
        parent = request.headers.get("traceparent")
        try:
            result = await self._invoker.invoke(
                function,
                request_payload(request, values, body),
                invocation_id=invocation_id,
                trace=None if parent is None else (parent, request.headers.get("tracestate", "")),
            )
            answer = result.returned
            for binding in function.bindings:
                if binding["type"] == "http":
                    answer = result.outputs.get(binding["name"], answer)
            return response_of(answer)
        except FunctionFailed as error:
            return _failure(error.invocation_id)
        except Exception:
            # An answer the function built wrong (a header with a line break, say) is its failure too.
            logger.exception("the answer of %s could not be sent (invocation %s)", function.name, invocation_id)
            return _failure(invocation_id)


async def read_body(request: web.BaseRequest, limit: int) -> bytes:
    """The whole body. Raises 413 beyond `limit` bytes, and reads no further; 400 for one that is broken off."""
    if not request.body_exists:
        return b""
    if (request.content_length or 0) > limit:
        raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=request.content_length or 0)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    chunks, size = [], 0
    try:
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=size)
            chunks.append(chunk)
    except (web.RequestPayloadError, ConnectionError) as error:
        # A client that went, or whose chunks are none: its own affair, not an error of this host.
        give_up_body(request)
        logger.debug("a body from %s did not come whole: %s", request.remote, error)
        raise web.HTTPBadRequest(text="The body did not come whole.\n") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def json_response(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, text=json.dumps(value), content_type="application/json", charset="utf-8")


def _failure(invocation_id: str) -> web.Response:
    response = json_response({"status": 500, "message": "The function failed.", "invocationId": invocation_id}, 500)
    response.headers["x-ms-invocation-id"] = invocation_id
    return response


def _not_found(path: str, allowed: frozenset[str]) -> web.Response:
    if allowed:
        return web.Response(status=405, headers={"Allow": ", ".join(sorted(allowed))})
    if path in ("", "/"):
        return web.Response(text="The functions host is up. GET /admin/functions lists what it runs.\n")
    return web.Response(status=404)


def bind(host: str, port: int, option: str = "--port") -> socket.socket:
    """A bound socket that does not listen yet: the port is known, and nobody else's, before the app is imported.

    StartError for an address or a port that cannot be used; `option` chooses another port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        if isinstance(error, (socket.gaierror, UnicodeError)) or error.errno == errno.EADDRNOTAVAIL:
            raise StartError(f"--host must be an address of this machine, not {host!r}") from None
        raise StartError(
            f"port {port} on {host} cannot be used: {error.strerror}; choose another with {option}"
        ) from None
    return listener
