"""The connections of the HTTP listener: Kestrel's limits, and refusals that are answered instead of logged."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler

logger = logging.getLogger("functions_host.http")

SERVER = "functions_host"
MAX_REQUEST_LINE = 8192
MAX_HEADERS = 32768


class Connection(RequestHandler):
    """aiohttp's, but what a client sends wrong is its own affair: an answer, and a line only with --verbose."""

    __slots__ = ()

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


def server(handler: Any) -> ConnectionServer:
    # A compressed body is the function's to unpack, as on the real host: its Content-Encoding says what it is.
    return ConnectionServer(
        handler,
        access_log=None,
        auto_decompress=False,
        max_line_size=MAX_REQUEST_LINE,
        max_field_size=MAX_HEADERS,
    )


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
