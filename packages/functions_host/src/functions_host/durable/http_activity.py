"""``call_http``: the built-in activity that sends one request.

As recorded from the real one: content goes out as text/plain unless a header says otherwise, a 202 is not polled, and
the answer's headers are without those that describe content.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from functions_host.durable.jsontext import compact
from functions_host.durable.runner import UserFunctionError

_CONTENT_HEADERS = frozenset(
    {
        "allow",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "expires",
        "last-modified",
    }
)
_PRODUCT_HEADERS = frozenset({"server", "user-agent", "via"})
_TIMEOUT_SECONDS = 100
_USER_AGENT = "Microsoft.Azure.WebJobs.Extensions.DurableTask/3.15.0"


class HttpActivity:
    """Keeps one connection pool."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def call(self, request_json: str | None) -> str:
        """`request_json`: method, uri, content, headers. Returns statusCode, headers, content as JSON text.

        Raises UserFunctionError if there is no answer.
        """
        request: dict[str, Any] = json.loads(request_json or "{}")
        if request.get("tokenSource"):
            raise UserFunctionError("NotSupportedException", "call_http with a token source needs Azure's identity")
        headers = {str(key): str(value) for key, value in (request.get("headers") or {}).items()}
        headers.setdefault("User-Agent", _USER_AGENT)
        content = request.get("content")
        if content is not None and not any(key.lower() == "content-type" for key in headers):
            headers["Content-Type"] = "text/plain"
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS), skip_auto_headers=("Accept", "Accept-Encoding")
            )
        try:
            async with self._session.request(
                str(request["method"]), str(request["uri"]), data=content, headers=headers, allow_redirects=True
            ) as answer:
                text = await answer.text(errors="replace")
                return compact(
                    {"statusCode": answer.status, "headers": _headers(answer.headers.items()), "content": text}
                )
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            raise UserFunctionError("HttpRequestException", str(error) or type(error).__name__) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _headers(items: Any) -> dict[str, Any]:
    """One value as a string, several as a list; product tokens count as several, as in .NET."""
    collected: dict[str, list[str]] = {}
    for key, value in items:
        if key.lower() not in _CONTENT_HEADERS:
            values = value.split() if key.lower() in _PRODUCT_HEADERS else [value]
            collected.setdefault(key, []).extend(values)
    return {key: values[0] if len(values) == 1 else values for key, values in collected.items()}
