"""The SDK's durable client, calling the engine in its own process instead of over HTTP.

The client keeps three functions to post, get and delete. The stand-ins answer what the real ones would: status and
parsed body. URLs of other hosts still go over HTTP.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from functions_host.durable.transport import ManagementRequest

if TYPE_CHECKING:
    from functions_host.durable.engine import DurableEngine

_NAMES = ("post_async_request", "get_async_request", "delete_async_request")
_JSON_HEADERS = {"content-type": "application/json"}
_engines: dict[str, DurableEngine] = {}
_originals: dict[str, Callable[..., Awaitable[list[Any]]]] = {}


def install_loopback(rpc_base_url: str, engine: DurableEngine) -> None:
    """From now on durable clients whose URLs start with `rpc_base_url` call `engine`."""
    _engines[rpc_base_url] = engine
    if not _originals:
        client = importlib.import_module("azure.durable_functions.models.DurableOrchestrationClient")
        for name in _NAMES:
            _originals[name] = client.__dict__[name]
        client.__dict__["post_async_request"] = _post
        client.__dict__["get_async_request"] = _get
        client.__dict__["delete_async_request"] = _delete


def uninstall_loopback(rpc_base_url: str) -> None:
    """Take the engine out; with the last one the SDK's own functions are back."""
    _engines.pop(rpc_base_url, None)
    if not _engines and _originals:
        client = importlib.import_module("azure.durable_functions.models.DurableOrchestrationClient")
        client.__dict__.update(_originals)
        _originals.clear()


async def _post(
    url: str,
    data: Any = None,
    trace_parent: str | None = None,
    trace_state: str | None = None,
    function_invocation_id: str | None = None,
) -> list[Any]:
    found = _find(url)
    if found is None:
        return await _originals["post_async_request"](url, data, trace_parent, trace_state, function_invocation_id)
    body = b"" if data is None else json.dumps(data).encode()
    return await _call(found, url, "POST", body)


async def _get(url: str, function_invocation_id: str | None = None) -> list[Any]:
    found = _find(url)
    if found is None:
        return await _originals["get_async_request"](url, function_invocation_id)
    answer = await _call(found, url, "GET", b"")
    return [answer[0], "" if answer[1] is None else answer[1]]


async def _delete(url: str, function_invocation_id: str | None = None) -> list[Any]:
    found = _find(url)
    if found is None:
        return await _originals["delete_async_request"](url, function_invocation_id)
    return await _call(found, url, "DELETE", b"")


def _find(url: str) -> tuple[str, DurableEngine] | None:
    for base, engine in _engines.items():
        if url.startswith(base):
            return base, engine
    return None


async def _call(found: tuple[str, DurableEngine], url: str, method: str, body: bytes) -> list[Any]:
    base, engine = found
    path, _, query = url[len(base) :].partition("#")[0].partition("?")
    request = ManagementRequest(
        method,
        path,
        parse_qsl(query, keep_blank_values=True) if query else (),
        _JSON_HEADERS if body else {},
        body,
        engine.base_url,
    )
    loop = engine.loop
    if loop is asyncio.get_running_loop():
        answer = await engine.handle_management(request)
    elif loop is not None:
        # A function may run on an event loop of its own.
        answer = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(engine.handle_management(request), loop))
    else:
        raise RuntimeError("the durable engine does not run")
    return [answer.status, json.loads(answer.body) if answer.body else None]
