"""The SDK's durable client, calling the engine instead of talking HTTP to the host it runs in.

The client keeps three functions to post, get and delete. The stand-ins answer what the real ones would: status and
parsed body. URLs of other hosts still go over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from functions_host.durable.acceleration.patches import CLIENT_REQUESTS
from functions_host.durable.binding import WEBHOOK_PATH
from functions_host.durable.transport import ManagementRequest, ManagementResponse

Call = Callable[[ManagementRequest], Awaitable[ManagementResponse]]

_JSON_HEADERS = {"content-type": "application/json"}
_calls: dict[str, Call] = {}


def install_loopback(rpc_base_url: str, call: Call) -> None:
    """From now on durable clients whose URLs start with `rpc_base_url` use `call`, from whatever event loop."""
    _calls[rpc_base_url] = call
    for patch, stand_in in zip(CLIENT_REQUESTS, (_post, _get, _delete), strict=True):
        patch.install(stand_in)


def uninstall_loopback(rpc_base_url: str) -> None:
    """Take the call out; with the last one the SDK's own functions are back."""
    _calls.pop(rpc_base_url, None)
    if not _calls:
        for patch in CLIENT_REQUESTS:
            patch.uninstall()


async def _post(
    url: str,
    data: Any = None,
    trace_parent: str | None = None,
    trace_state: str | None = None,
    function_invocation_id: str | None = None,
) -> list[Any]:
    base = _base_of(url)
    if base is None:
        over_http = CLIENT_REQUESTS[0].original
        answer: list[Any] = await over_http(url, data, trace_parent, trace_state, function_invocation_id)
        return answer
    return await _call(base, url, "POST", b"" if data is None else json.dumps(data).encode())


async def _get(url: str, function_invocation_id: str | None = None) -> list[Any]:
    base = _base_of(url)
    if base is None:
        answer: list[Any] = await CLIENT_REQUESTS[1].original(url, function_invocation_id)
        return answer
    answer = await _call(base, url, "GET", b"")
    return [answer[0], "" if answer[1] is None else answer[1]]


async def _delete(url: str, function_invocation_id: str | None = None) -> list[Any]:
    base = _base_of(url)
    if base is None:
        answer: list[Any] = await CLIENT_REQUESTS[2].original(url, function_invocation_id)
        return answer
    return await _call(base, url, "DELETE", b"")


def _base_of(url: str) -> str | None:
    return next((base for base in _calls if url.startswith(base)), None)


@lru_cache(maxsize=64)
def _parsed(query: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query, keep_blank_values=True))


async def _call(base: str, url: str, method: str, body: bytes) -> list[Any]:
    path, _, query = url[len(base) :].partition("#")[0].partition("?")
    request = ManagementRequest(
        method,
        path,
        _parsed(query) if query else (),
        _JSON_HEADERS if body else {},
        body,
        base.partition(WEBHOOK_PATH)[0],
    )
    answer = await _calls[base](request)
    return [answer.status, json.loads(answer.body) if answer.body else None]
