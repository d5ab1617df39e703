"""The Durable HTTP API at the client binding's RPC base URL, where the SDK's own client asks too little of it."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import aiohttp

from durable_sdk.pages import DEADLINE_SECONDS

TOKEN_HEADER = "x-ms-continuation-token"

# One session a process; a loop has its own because a session belongs to the loop that it was made in.
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


def session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    open_one = _sessions.get(loop)
    if open_one is None or open_one.closed:
        # The first await comes after the assignment: two calls never make two sessions.
        open_one = _sessions[loop] = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS))
    return open_one


async def close_session() -> None:
    """Ends this loop's session (tests; a process that ends takes it along)."""
    open_one = _sessions.pop(asyncio.get_running_loop(), None)
    if open_one is not None:
        await open_one.close()
