"""Reads entities over the Durable HTTP API, which is what the client binding's RPC base URL speaks with 1.x.

The durable client has no call that lists entities, and parses with the standard library; the API itself pages and
takes a time from which entities were operated on. Unreachable is ``aiohttp.ClientError`` or a time-out, for the caller
to answer.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import aiohttp
import orjson

from durable_sdk.pages import DEADLINE_SECONDS, EntityPage, InvalidHostToken

TOKEN_HEADER = "x-ms-continuation-token"

# One session a process; a loop has its own because a session belongs to the loop that it was made in.
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


class Entities:
    """``client`` is the durable client that a function was handed, ``name`` the entity's."""

    def __init__(self, client: Any, name: str) -> None:
        base = str(client._orchestration_bindings.rpc_base_url).rstrip("/")
        self._url = f"{base}/entities/{name}"

    async def state(self, key: str) -> dict[str, Any] | None:
        """The stored state of one entity; None when it was never written, or was deleted."""
        url = f"{self._url}/{quote(key, safe='')}"
        async with _session().get(url) as response:
            if response.status == 404:
                return None
            response.raise_for_status()
            state = orjson.loads(await response.read())
            return state if isinstance(state, dict) else None

    async def page(
        self, top: int, token: str | None, *, fetch_state: bool = True, operated_from: str | None = None
    ) -> EntityPage:
        """Up to ``top`` entities, those operated on at or after ``operated_from`` (canonical time) if it is given."""
        query = {"top": str(top), "fetchState": "true" if fetch_state else "false"}
        if operated_from is not None:
            query["lastOperationTimeFrom"] = operated_from
        headers = {TOKEN_HEADER: token} if token else {}
        async with _session().get(self._url, params=query, headers=headers) as response:
            if token and response.status == 400:
                raise InvalidHostToken(token)
            response.raise_for_status()
            rows = orjson.loads(await response.read())
            following = response.headers.get(TOKEN_HEADER, "").strip()
        return EntityPage([(row["entityId"]["key"], row["state"]) for row in rows], following or None)

    async def reachable(self) -> None:
        """Raises when the Durable API does not answer."""
        async with _session().get(self._url, params={"top": "1"}) as response:
            response.raise_for_status()


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.closed:
        # The first await comes after the assignment: two calls never make two sessions.
        session = _sessions[loop] = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS))
    return session


async def close_session() -> None:
    """Ends this loop's session (tests; a process that ends takes it along)."""
    session = _sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()
