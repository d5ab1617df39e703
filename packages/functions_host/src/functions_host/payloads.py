"""What a call carries to the worker, and what comes back, as plain tuples. The first element says which it is.

``("plain", type, value)``: one Datum of text, JSON or bytes. ``("http", method, url, headers, query, params, body)``:
dictionaries of text, bytes. ``("events", context, binary, events)`` and ``("event", context, binary, event)``: see
`functions_host.eventhubs.wire`. ``("handle", json)``: the context of an orchestrator. ``("entity", …)``: the parts of
an EntityCall.

A value that comes back is None, ``("plain", type, value)``, ``("entity", …)`` with the parts of an EntityAnswer, or an
HTTP answer ``("http", status, headers, cookies, body)``: lists of pairs, of text, text or bytes.
"""

from __future__ import annotations

from typing import Any

Payload = tuple[Any, ...]
Value = tuple[Any, ...] | None

EMPTY: Payload = ("plain", "json", "{}")


def plain(kind: str, value: str | bytes) -> Payload:
    return ("plain", kind, value)


def handle(context_json: str) -> Payload:
    return ("handle", context_json)
