"""The HTTP API as the commands use it: pages followed, problems turned into exceptions with their own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import requests

Json = dict[str, Any]
TIMEOUT_SECONDS = 60.0
PAGE = 1000
"""Items asked for at once, the most that the API gives."""
CHUNK_BYTES = 65536


class Unreachable(Exception):
    """No answer, or one that says that the service cannot work now (5xx)."""


class Refused(Exception):
    """The service understood and said no (4xx)."""

    def __init__(self, status: int, text: str, problem: Json) -> None:
        super().__init__(text)
        self.status = status
        self.problem = problem


class Answer(NamedTuple):
    """Parsed JSON (None for an empty body), and the headers, whose names may be asked for in any case."""

    body: Any
    headers: Mapping[str, str]


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
        return self.ask("GET", path, query).body

    def health(self) -> Json:
        """The report, also of a service that is not healthy."""
        report: Json = self.ask("GET", "/api/health", also=503).body
        return report

    def post(self, path: str, body: Json | None = None) -> Any:
        return self.ask("POST", path, body=body).body

    def items(self, path: str, most: int, **query: Any) -> Iterator[Json]:
        """Up to ``most`` items of a list, page by page."""
        left, continuation = most, None
        while left > 0:
            page = self.get(path, limit=min(left, PAGE), continuation=continuation, **query)
            yield from page["items"]
            left -= len(page["items"])
            continuation = page["continuation"]
            if continuation is None:
                return

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        also: int = 200,
    ) -> Answer:
        """One request; parameters that are None are left out. ``also``: a status that is no error besides the 2xx.

        Raises ``Refused`` (4xx) or ``Unreachable``.
        """
        with self._response(method, path, query, body=body, headers=headers, also=also) as response:
            return Answer(_json(response, self.url), response.headers)

    def download(self, path: str, **query: Any) -> Iterator[bytes]:
        """A file as it comes."""
        with self._response("GET", path, query, stream=True) as response:
            try:
                yield from response.iter_content(CHUNK_BYTES)
            except requests.RequestException as error:
                raise Unreachable(f"{self.url}: the answer broke off: {type(error).__name__}") from error

    def _response(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        also: int = 200,
        stream: bool = False,
    ) -> requests.Response:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = self._session.request(
                method,
                self.url + path,
                params={**self._code, **given},
                json=body,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                stream=stream,
                # A sign-in page that a redirect leads to would otherwise look like an answer.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unreachable(f"{self.url} cannot be reached: {type(error).__name__}") from error
        if 200 <= response.status_code < 300 or response.status_code == also:
            return response
        raise _error(response, self.url)


def part(identifier: str) -> str:
    """One part of a path."""
    return quote(identifier, safe="")


def _json(response: requests.Response, url: str) -> Any:
    if not response.content and response.status_code in (202, 204):
        return None
    try:
        return response.json()
    except requests.JSONDecodeError as error:
        raise Unreachable(f"{url} does not answer as this service does") from error


_HINTS = {
    401: " (nobody is signed in: --token, or --scope to use the Azure identity of this machine)",
    403: " (whoever is signed in lacks the role; another identity: --token, or --scope)",
}


def _error(response: requests.Response, url: str) -> Exception:
    try:
        found = response.json()
    except requests.JSONDecodeError:
        found = {}
    problem: Json = found if isinstance(found, dict) else {}
    status = response.status_code
    title = problem.get("title") or response.reason or "error"
    detail = problem.get("detail")
    text = f"{status} {title}" + (f": {detail}" if detail else "") + _HINTS.get(status, "")
    if status >= 500:
        return Unreachable(f"{url}: {text}")
    if status < 400:
        return Unreachable(f"{url} redirects to {response.headers.get('location')}: is it the right address?")
    return Refused(status, text, problem)
