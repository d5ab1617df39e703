"""Connections to receivers: only to addresses that were checked, no redirect followed, no proxy asked."""

from __future__ import annotations

import asyncio
import socket
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from settings.addresses import literal_address, may_connect

TIMEOUT_SECONDS = 10.0
_READ_BYTES = 4096
"""Of an answer, so that the connection may serve again; nobody looks at them."""


class AddressRefused(OSError):
    """A receiver's name leads to where nothing may be sent."""


class CheckedResolver(AbstractResolver):
    """Gives only addresses that may be connected to, and it is to them that the connection is made."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        allowed = [one for one in found if may_connect(host, one["host"])]
        if not allowed:
            raise AddressRefused(f"{host} leads to no address that may be connected to")
        return allowed

    async def close(self) -> None:
        await self._inner.close()


_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    open_one = _sessions.get(loop)
    if open_one is None or open_one.closed:
        open_one = _sessions[loop] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=CheckedResolver()),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            trust_env=False,
            headers={"user-agent": "drone-telemetry-alerts"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
    return open_one


async def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer. Raises ``aiohttp.ClientError``, ``OSError`` or a time-out where there was none."""
    where = URL(url)
    # An address needs no resolver; which one it is, is told of the URL as it is connected to.
    if literal_address(where.host or "") is not None and not may_connect(where.host or "", where.host or ""):
        raise AddressRefused(f"{where.host} is no address that may be connected to")
    async with _session().post(where, data=body, headers=headers, allow_redirects=False) as response:
        await response.content.read(_READ_BYTES)
        return response.status


async def close_session() -> None:
    """Ends this loop's session (tests; a process that ends takes it along)."""
    open_one = _sessions.pop(asyncio.get_running_loop(), None)
    if open_one is not None:
        await open_one.close()
