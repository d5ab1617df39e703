"""The SDK's client telling an entity something, without the URL that says it and the trace headers that end here.

What is not plain goes the SDK's own way: names and keys that a URL would hold otherwise, another hub or connection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from functions_host.durable.acceleration.codec import plain_dumps
from functions_host.durable.acceleration.patches import SIGNAL_ENTITY

# Entity, key, operation, JSON text of the input or nothing; the answer's status.
Signal = Callable[[str, str, str, str], Awaitable[int]]

_signals: dict[str, Signal] = {}
_is_plain_key = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.:~-]{0,99}").fullmatch
_quote = json.encoder.encode_basestring_ascii


def install_signalling(rpc_base_url: str, signal: Signal) -> None:
    """From now on durable clients with exactly that URL use `signal`, if the SDK is the one this was written for."""
    if SIGNAL_ENTITY.original is not None or SIGNAL_ENTITY.is_known():
        _signals[rpc_base_url] = signal
        SIGNAL_ENTITY.install(_signal_entity)


def uninstall_signalling(rpc_base_url: str) -> None:
    """With the last one the SDK's own method is back."""
    _signals.pop(rpc_base_url, None)
    if not _signals:
        SIGNAL_ENTITY.uninstall()


async def _signal_entity(
    self: Any,
    entityId: Any,
    operation_name: str,
    operation_input: Any = None,
    task_hub_name: str | None = None,
    connection_name: str | None = None,
) -> None:
    signal = _signals.get(self._orchestration_bindings.rpc_base_url)
    if (
        signal is None
        or task_hub_name
        or connection_name
        or type(entityId.name) is not str
        or type(operation_name) is not str
        or not _is_plain(entityId.name)
        or not _is_plain(operation_name)
        or not isinstance(entityId.key, str)
        or not _is_plain_key(entityId.key)
    ):
        await SIGNAL_ENTITY.original(self, entityId, operation_name, operation_input, task_hub_name, connection_name)
        return
    text = _quote(plain_dumps(operation_input)) if operation_input else ""
    status = await signal(entityId.name, entityId.key, operation_name, text)
    if status != 202:
        raise Exception(f"The operation failed with an unexpected status code {status}")


@lru_cache(maxsize=1024)
def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier()
