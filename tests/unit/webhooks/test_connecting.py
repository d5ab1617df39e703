"""Where a request goes, and where it never goes: over real sockets on this machine."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from webhooks import connecting
from webhooks.connecting import AddressRefused, CheckedResolver, close_session, post


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, list[str]]]:
    """Its URL, and the paths it was asked for."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        await request.read()
        if request.path == "/moved":
            return web.Response(status=307, headers={"location": "/elsewhere"})
        if request.path == "/large":
            return web.Response(body=b"x" * 10_000_000)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}", asked
    await close_session()
    await runner.cleanup()


async def test_no_redirect_is_followed(server: tuple[str, list[str]]) -> None:
    url, asked = server
    assert await post(f"{url}/moved", b"{}", {}) == 307
    assert asked == ["/moved"]
    assert await post(f"{url}/fine", b"{}", {}) == 204


async def test_a_large_answer_is_not_read(server: tuple[str, list[str]]) -> None:
    url, _ = server
    assert await post(f"{url}/large", b"{}", {}) == 200


async def test_a_proxy_in_the_environment_is_not_asked(
    server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    url, asked = server
    assert await post(f"{url}/direct", b"{}", {}) == 204
    assert asked == ["/direct"]


class Names(AbstractResolver):
    """What a name server says, whoever asks."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0)
            for one in self.addresses
        ]

    async def close(self) -> None: ...


async def test_only_addresses_of_the_internet_are_connected_to() -> None:
    mixed = CheckedResolver(Names("10.0.0.1", "93.184.216.34", "127.0.0.1"))
    assert [one["host"] for one in await mixed.resolve("ops.example", 443)] == ["93.184.216.34"]
    for inside in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1"):
        with pytest.raises(AddressRefused):
            await CheckedResolver(Names(inside)).resolve("ops.example", 443)
    with pytest.raises(AddressRefused):
        await CheckedResolver(Names("93.184.216.34")).resolve("localhost", 80)


@pytest.mark.parametrize("host", ["10.0.0.1", "１０.0.0.1", "10。0。0。1", "⑩.0.0.1", "[fd00::1]", "[::ffff:10.0.0.1]"])
async def test_an_address_inside_is_not_connected_to_however_it_is_written(host: str) -> None:
    """A library that takes these for addresses asks no resolver."""
    with pytest.raises(AddressRefused):
        await post(f"https://{host}:9/", b"{}", {})


async def test_a_name_that_leads_inside_is_not_connected_to(
    server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was fine when the settings were read; now it leads to this machine."""
    url, asked = server
    port = url.rpartition(":")[2]
    monkeypatch.setattr(connecting, "ThreadedResolver", lambda: Names("127.0.0.1"))
    with pytest.raises(aiohttp.ClientConnectorError):
        await post(f"http://ops.example:{port}/", b"{}", {})
    assert asked == []
