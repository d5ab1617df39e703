"""The HTTP API as the commands use it: pages followed, problems turned into exceptions with their own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import requests

Json = dict[str, Any]
TIMEOUT_SECONDS = 60.0


class Unreachable(Exception):
    """No answer, or one that says that the service cannot work now (5xx)."""


class Refused(Exception):
    """The service understood and said no (4xx)."""

    def __init__(self, status: int, text: str, problem: Json) -> None:
        super().__init__(text)
        self.status = status
        self.problem = problem


class TelemetryApi:
    """One service. ``headers`` go with every request (authorization); ``code`` is a function key, if one is needed."""

    def __init__(self, url: str, headers: Mapping[str, str], code: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", **headers})
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=16)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._code = {} if code is None else {"code": code}

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, query, None)

    def health(self) -> Json:
        """The report, also of a service that is not healthy."""
        report: Json = self._ask("GET", "/api/health", {}, None, also=503)
        return report

    def post(self, path: str, body: Json | None = None) -> Any:
        return self._ask("POST", path, {}, body)

    def items(self, path: str, most: int, **query: Any) -> Iterator[Json]:
        """Up to ``most`` items of a list, page by page."""
        left, continuation = most, None
        while left > 0:
            page = self.get(path, limit=min(left, 1000), continuation=continuation, **query)
            yield from page["items"]
            left -= len(page["items"])
            continuation = page["continuation"]
            if continuation is None:
                return

    def _ask(self, method: str, path: str, query: Mapping[str, Any], body: Json | None, *, also: int = 200) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        try:
            response = self._session.request(
                method,
                self.url + path,
                params={**given, **self._code},
                json=body,
                timeout=TIMEOUT_SECONDS,
                # A sign-in page that a redirect leads to would otherwise look like an answer.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unreachable(f"{self.url} cannot be reached: {type(error).__name__}") from error
        if 200 <= response.status_code < 300 or response.status_code == also:
            return _json(response, self.url)
        raise _error(response, self.url)


def part(identifier: str) -> str:
    """One part of a path."""
    return quote(identifier, safe="")


def _json(response: requests.Response, url: str) -> Any:
    try:
        return response.json()
    except requests.JSONDecodeError as error:
        raise Unreachable(f"{url} does not answer as this service does") from error


def _error(response: requests.Response, url: str) -> Exception:
    try:
        found = response.json()
        problem: Json = found if isinstance(found, dict) else {}
    except requests.JSONDecodeError:
        problem = {}
    status = response.status_code
    title = problem.get("title") or response.reason or "error"
    text = f"{status} {title}" + (f": {problem['detail']}" if problem.get("detail") else "")
    if status in (401, 403):
        text += " (sign in with --token, or --scope to use the Azure identity of this machine)"
    if status >= 500:
        return Unreachable(f"{url}: {text}")
    if status < 400:
        return Unreachable(f"{url} redirects to {response.headers.get('location')}: is it the right address?")
    return Refused(status, text, problem)
