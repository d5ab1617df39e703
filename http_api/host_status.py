"""What the local host says of its own parts: its Event Hubs may be unable to write while everything else answers.

The real host keeps such a status behind its master key, and has no hub of its own: whatever is not that answer says
nothing.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from durable_sdk import host_url

DEADLINE_SECONDS = 2.0
# Where on this machine a file is, is nobody's business who may ask for the health.
_PATH = re.compile(r"""(?<!\w)(?:[A-Za-z]:)?[\\/](?:[^\s'"]*[\\/])?[^\s'":]*""")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


async def host_errors(client: Any) -> list[str]:
    """What does not work of the local host that this function was called by, in its words; empty for any other host."""
    url = host_url(client)
    if url is None or urlsplit(url).hostname not in _LOOPBACK:
        return []
    try:
        timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url + "/admin/host/status") as response,
        ):
            if response.status != 200:
                return []
            found = orjson.loads(await response.read())
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError, orjson.JSONDecodeError):
        return []
    errors = found.get("errors") if isinstance(found, dict) else None
    if not isinstance(errors, list):
        return []
    return [_PATH.sub("…", error)[:300] for error in errors if isinstance(error, str)]
