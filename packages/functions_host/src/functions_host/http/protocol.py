"""The connections of the HTTP listener: Kestrel's limits and times, and refusals that are answered, not logged."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler

logger = logging.getLogger("functions_host.http")

SERVER = "functions_host"
MAX_REQUEST_LINE = 8192
MAX_HEADERS = 32768
# Kestrel's: a request's head has 30 s, a connection without a request 130 s, a body comes with 240 bytes/s or more.
HEAD_SECONDS = 30.0
IDLE_SECONDS = 130.0
BODY_SECONDS = 30.0
BODY_BYTES_PER_SECOND = 240
_LOOK_SECONDS = 1.0
_SHED_AT_ONCE = 64
# A connection may be that young and still have nothing to say.
_YOUNG_SECONDS = 0.1
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\nServer: functions_host\r\n\r\n"


class Connection(RequestHandler):
    """aiohttp's, but what a client sends wrong, or not at all, is its own affair."""

    __slots__ = ("_bytes", "_heads", "_last_data", "_since")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # `_since`: when the head, or the wait for one, began; once a head is whole, when its body began.
        self._since = self._last_data = self._loop.time()
        self._bytes = self._heads = 0
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        now = self._loop.time()
        heads = self._request_count
        if self._bytes == 0:
            self._since = now
        self._last_data = now
        self._bytes += len(data)
        super().data_received(data)
        if self._request_count != heads:
            self._since, self._bytes, self._heads = now, 0, self._request_count

    @property
    def is_busy(self) -> bool:
        return self._current_request is not None or bool(self._messages)

    @property
    def idle_since(self) -> float:
        return self._last_data

    def look(self, now: float) -> None:
        """End what the client does not finish."""
        if self.transport is None:
            return
        request = self._current_request
        if request is not None:
            if not request.content.is_eof() and self._body_is_late(now) and request.content.exception() is None:
                self.give_up_body()
                request.content.set_exception(web.HTTPRequestTimeout(text="The body did not come in time.\n"))
        elif self._bytes and not self._messages:
            if now - self._since > HEAD_SECONDS:
                self.transport.write(_TIMED_OUT)
                self.force_close()
        elif not self._messages and now - self._last_data > (IDLE_SECONDS if self._heads else HEAD_SECONDS):
            self.force_close()

    def give_up_body(self) -> None:
        """The rest of the body is not waited for once more after the answer."""
        self._lingering_time = 0.0

    def _body_is_late(self, now: float) -> bool:
        elapsed = now - self._since
        too_slow = elapsed > BODY_SECONDS and self._bytes < BODY_BYTES_PER_SECOND * (elapsed - BODY_SECONDS)
        return now - self._last_data > BODY_SECONDS or too_slow

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if not isinstance(exc, HttpProcessingError) or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        status, text = _refusal(exc)
        logger.debug("a request from %s was refused: %d %s", request.remote, status, exc.message)
        response = web.Response(status=status, text=f"{text}\n", headers={"Server": SERVER})
        response.force_close()
        return response


class ConnectionServer(web.Server):
    """web.Server with such connections."""

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)

    async def watch(self) -> None:
        """End what clients do not finish, for as long as this is awaited."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = self._loop.time()
            for connection in self.connections:
                if isinstance(connection, Connection):
                    connection.look(now)

    def shed(self) -> int:
        """Close some connections without a request, the oldest first; returns how many."""
        old = self._loop.time() - _YOUNG_SECONDS
        idle = [one for one in self.connections if isinstance(one, Connection) and not one.is_busy]
        chosen = sorted((one for one in idle if one.idle_since < old), key=lambda one: one.idle_since)[:_SHED_AT_ONCE]
        for connection in chosen:
            connection.force_close()
        return len(chosen)


def server(handler: Any) -> ConnectionServer:
    # A compressed body is the function's to unpack, as on the real host: its Content-Encoding says what it is.
    return ConnectionServer(
        handler,
        access_log=None,
        auto_decompress=False,
        max_line_size=MAX_REQUEST_LINE,
        max_field_size=MAX_HEADERS,
    )


def give_up_body(request: web.BaseRequest) -> None:
    """Expect nothing more of the body of a request."""
    if isinstance(request.protocol, Connection):
        request.protocol.give_up_body()


def refuse_large_headers(request: web.BaseRequest) -> None:
    """431 for headers that are too large together."""
    if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > MAX_HEADERS:
        raise web.HTTPRequestHeaderFieldsTooLarge(text=f"The headers have more than {MAX_HEADERS} bytes.\n")


def _refusal(error: HttpProcessingError) -> tuple[int, str]:
    if not isinstance(error, LineTooLong):
        return 400, "The request is not HTTP as it should be."
    if str(error.args[1]) == str(MAX_REQUEST_LINE):
        return 414, f"The request line has more than {MAX_REQUEST_LINE} bytes."
    return 431, f"A header has more than {MAX_HEADERS} bytes."
