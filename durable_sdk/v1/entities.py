"""Reads entities over the Durable HTTP API, which is what the client binding's RPC base URL speaks with 1.x.

The durable client has no call that lists entities, and parses with the standard library; the API itself pages and
takes a time from which entities were operated on. Unreachable is ``aiohttp.ClientError`` or a time-out, for the caller
to answer.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from durable_sdk.pages import EntityPage, InvalidHostToken
from durable_sdk.v1.session import TOKEN_HEADER, session


class Entities:
    """``client`` is the durable client that a function was handed, ``name`` the entity's."""

    def __init__(self, client: Any, name: str) -> None:
        base = str(client._orchestration_bindings.rpc_base_url).rstrip("/")
        self._url = f"{base}/entities/{name}"

    async def state(self, key: str) -> dict[str, Any] | None:
        """The stored state of one entity; None when it was never written, or was deleted."""
        url = f"{self._url}/{quote(key, safe='')}"
        async with session().get(url) as response:
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
        async with session().get(self._url, params=query, headers=headers) as response:
            if token and response.status == 400:
                raise InvalidHostToken(token)
            response.raise_for_status()
            rows = orjson.loads(await response.read())
            following = response.headers.get(TOKEN_HEADER, "").strip()
        return EntityPage([(row["entityId"]["key"], row["state"]) for row in rows], following or None)

    async def reachable(self) -> None:
        """Raises when the Durable API does not answer."""
        async with session().get(self._url, params={"top": "1"}) as response:
            response.raise_for_status()
