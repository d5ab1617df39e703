"""The management API's request and answer, free of any HTTP library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class ManagementRequest:
    """One call of the management API.

    `path` is the raw (still percent-encoded) path below ``/runtime/webhooks/durabletask``, with or without a leading
    slash. `query` keeps repeats in order, decoded. `headers` keys are lower case. `base_url` is scheme and authority
    as the caller addressed them (``http://127.0.0.1:7071``): URLs in answers start with it.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base_url: str = "http://127.0.0.1:7071"


@dataclass(slots=True)
class ManagementResponse:
    """Its answer. `body` is empty for an empty answer (send ``Content-Length: 0`` then)."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
