"""aiohttp's request as a worker gets it, and what comes back as an aiohttp response."""

from __future__ import annotations

from aiohttp import web

from functions_host.payloads import Payload, Value

# The connection is aiohttp's business, not the function's.
_NOT_PASSED_ON = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"})


def absolute_url(request: web.BaseRequest) -> str:
    return f"{request.scheme}://{request.host}{request.raw_path}"


def request_payload(request: web.BaseRequest, route_values: dict[str, str], body: bytes) -> Payload:
    """Repeated headers and query parameters are joined with commas, as the real host hands them to Python."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        known = headers.get(key)
        headers[key] = value if known is None else f"{known},{value}"
    query: dict[str, str] = {}
    if request.query_string:
        for name, value in request.query.items():
            known = query.get(name)
            query[name] = value if known is None else f"{known},{value}"
    return ("http", request.method, absolute_url(request), headers, query, route_values, body)


def response_of(value: Value) -> web.Response:
    """An aiohttp response of what a function returned: an HTTP answer, or a plain string (text/plain)."""
    if value is None:
        return web.Response(status=204)
    if value[0] != "http":
        return web.Response(text=str(value[2]), content_type="text/plain", charset="utf-8")
    _, status, headers, cookies, body = value
    response = web.Response(status=status, body=_body(status, body))
    for name, text in headers:
        if name.lower() not in _NOT_PASSED_ON:
            response.headers[name] = text
    for cookie in cookies:
        response.headers.add("Set-Cookie", cookie)
    return response


def _body(status: int, value: str | bytes | None) -> bytes | None:
    if status in (204, 304) or status < 200:
        return None
    return value.encode() if isinstance(value, str) else value or b""
