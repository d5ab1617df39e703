"""aiohttp's request to what the HTTP trigger's converter reads, and its Datum back to an aiohttp response."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from azure.functions.meta import Datum

from functions_host.http.cookies import set_cookie

# The connection is aiohttp's business, not the function's.
_NOT_PASSED_ON = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"})


def absolute_url(request: web.BaseRequest) -> str:
    return f"{request.scheme}://{request.host}{request.raw_path}"


def request_datum(request: web.BaseRequest, route_values: dict[str, str], body: bytes) -> Any:
    """Repeated headers and query parameters are joined with commas, as the real host hands them to Python."""
    headers: dict[str, Any] = {}
    for name, value in request.headers.items():
        key = name.lower()
        known = headers.get(key)
        headers[key] = Datum(value if known is None else f"{known.value},{value}", "string")
    query: dict[str, Any] = {}
    if request.query_string:
        for name, value in request.query.items():
            known = query.get(name)
            query[name] = Datum(value if known is None else f"{known.value},{value}", "string")
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(absolute_url(request), "string"),
            "headers": headers,
            "query": query,
            "params": {name: Datum(value, "string") for name, value in route_values.items()},
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def response_of(datum: Any) -> web.Response:
    """An aiohttp response of an encoded return value: func.HttpResponse, or a plain string (text/plain)."""
    if datum is None or datum.type is None:
        return web.Response(status=204)
    if datum.type != "http":
        return web.Response(text=str(datum.value), content_type="text/plain", charset="utf-8")
    parts = datum.value
    status = int(parts["status_code"].value)
    response = web.Response(status=status, body=_body(status, parts["body"]))
    headers = response.headers
    for name, value in parts["headers"].items():
        if name.lower() not in _NOT_PASSED_ON:
            headers[name] = value.value
    for jar in parts.get("cookies") or ():
        for morsel in jar.values():
            headers.add("Set-Cookie", set_cookie(morsel))
    return response


def _body(status: int, datum: Any) -> bytes | None:
    if status in (204, 304) or status < 200:
        return None
    value = datum.value
    return value.encode() if isinstance(value, str) else value or b""
