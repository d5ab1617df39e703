"""Connections that clients do not finish, and more of them than the process may open."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from functions_host.http import acceptor, protocol
from functions_host.http.acceptor import most_connections
from functions_host.http.server import HttpServer, bind, read_body
from host_support import HostProcess, http, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX sockets")


class Echo(HttpServer):
    """The listener without functions: answers with the length of the body."""

    def __init__(self) -> None:
        super().__init__(None, route_prefix="", max_body=1000)  # type: ignore[arg-type]

    async def _dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=str(len(await read_body(request, 1000))))


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.6)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(protocol, "_YOUNG_SECONDS", 0.0)
    monkeypatch.setattr(acceptor, "most_connections", lambda: 8)
    echo = Echo()
    listener = bind("127.0.0.1", 0)
    number: int = listener.getsockname()[1]
    await echo.start(listener)
    yield number
    await echo.stop_listening()
    await echo.close()


async def opened(port: int, text: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    await writer.drain()
    return reader, writer


async def answer(reader: asyncio.StreamReader, seconds: float = 3) -> bytes:
    """All until the connection ends."""
    return await asyncio.wait_for(reader.read(), seconds)


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


async def test_a_head_that_is_not_finished_times_out(port: int) -> None:
    reader, _ = await opened(port, HEAD)
    assert (await answer(reader)).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_without_a_word_is_closed(port: int) -> None:
    reader, _ = await opened(port)
    assert await answer(reader) == b""


async def test_a_body_that_does_not_come_times_out_without_a_trace(port: int, caplog: pytest.LogCaptureFixture) -> None:
    reader, _ = await opened(port, HEAD + b"Content-Length: 5\r\n\r\nab")
    assert (await answer(reader)).startswith(b"HTTP/1.1 408 ")
    assert "Traceback" not in caplog.text


async def test_a_body_that_breaks_off_or_is_none_makes_no_trace(port: int, caplog: pytest.LogCaptureFixture) -> None:
    _, writer = await opened(port, HEAD + b"Content-Length: 5\r\n\r\nab")
    await asyncio.sleep(0.1)
    writer.transport.abort()
    reader, _ = await opened(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n")
    assert b" 400 " in (await answer(reader))[:20]
    reader, _ = await opened(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n")
    assert b" 400 " in (await answer(reader))[:20]
    # Threads that other tests left behind may log as well.
    ours = [one for one in caplog.records if one.name.partition(".")[0] in ("functions_host", "aiohttp", "asyncio")]
    assert [record for record in ours if record.levelname == "ERROR" or record.exc_info] == []


async def test_a_body_that_trickles_times_out(port: int) -> None:
    reader, writer = await opened(port, HEAD + b"Content-Length: 900\r\n\r\n")

    async def trickle() -> None:
        for _ in range(100):
            writer.write(b"a")
            await asyncio.sleep(0.02)

    trickling = asyncio.ensure_future(trickle())
    assert (await answer(reader)).startswith(b"HTTP/1.1 408 ")
    trickling.cancel()


async def test_a_connection_is_kept_between_requests_but_not_indefinitely(port: int) -> None:
    request = HEAD + b"Content-Length: 2\r\n\r\nab"
    reader, writer = await opened(port, request)
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n2"), 3)
    await asyncio.sleep(0.4)
    writer.write(request)
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n2"), 3)
    assert await answer(reader) == b""


async def test_half_open_connections_make_room_for_others(port: int, caplog: pytest.LogCaptureFixture) -> None:
    held = [await opened(port, HEAD) for _ in range(30)]
    for _ in range(5):
        reader, writer = await opened(port, HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nab")
        assert (await answer(reader)).endswith(b"2")
        writer.close()
    assert caplog.text.count("the oldest are closed") == 1
    for _, writer in held:
        writer.close()


def test_some_descriptors_are_left_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    monkeypatch.setattr(os, "listdir", lambda _: ["x"] * 24)
    assert most_connections() == 24
    monkeypatch.setattr(resource, "getrlimit", lambda _: (30, 30))
    assert most_connections() == 8
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert most_connections() == 10_000


@pytest.mark.e2e
def test_64_descriptors_and_200_half_open_requests(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "host.json").write_text("{}")
    (app / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n"
        "@app.route(route='ok')\ndef ok(req: func.HttpRequest) -> str:\n    return 'ok'\n"
    )
    started = HostProcess(app, tmp_path / "data", "--no-event-hubs", descriptors=64).start()
    try:
        host, port = started.url.removeprefix("http://").split(":")
        held = [socket.create_connection((host, int(port)), timeout=5) for _ in range(200)]
        for connection in held:
            connection.sendall(b"GET /api/ok HTTP/1.1\r\nHost: localhost\r\n")
        lines = len(started.log.splitlines())
        wait_for(lambda: _answers(started), "an answer beside half-open requests", 15)
        for connection in held:
            connection.close()
        assert wait_for(lambda: _answers(started), "an answer afterwards", 10)
        assert len(started.log.splitlines()) - lines < 20
        assert "Traceback" not in started.log
    finally:
        started.kill()


def _answers(host: HostProcess) -> bool:
    try:
        return http("GET", f"{host.url}/api/ok", timeout=3).text == "ok"
    except OSError:
        return False
