"""No page of another site may change anything here with the browser of somebody who may.

A browser says where a request comes from (``Origin``, ``Sec-Fetch-Site``) whenever a script of another site makes it
send one; programs say neither and are not held up. Reading needs no such check: no answer carries a CORS header,
so another site's script does not see it. docs/security.md has the whole picture.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import azure.functions as func

from http_api.problem import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


def refuse_foreign(request: func.HttpRequest, allowed: Collection[str]) -> None:
    """Raises the 403 ``Problem`` for a request that changes something and comes from another site's page.

    ``allowed`` are origins (``https://example.org``) that may all the same; ``*`` allows every one.
    """
    if request.method.upper() in SAFE_METHODS or "*" in allowed:
        return
    origin = (request.headers.get("origin") or "").strip()
    site = (request.headers.get("sec-fetch-site") or "").strip().lower()
    if origin and origin.lower() in allowed:
        return
    if site == "cross-site":
        raise _foreign("another site's page")
    if origin and site != "same-origin" and not _is_ours(origin, request):
        raise _foreign(f"the origin {origin[:200]!r}")


def _foreign(whose: str) -> Problem:
    return Problem("foreign-origin", f"the request was made by {whose}; ALLOWED_ORIGINS names the origins that may")


def _is_ours(origin: str, request: func.HttpRequest) -> bool:
    """Whether the origin's host and port are those that the request was sent to.

    Not its scheme: where TLS ends in front of the app, the app sees http.
    """
    try:
        theirs = urlsplit(origin)
        default = _PORTS[theirs.scheme]
        host = request.headers.get("host") or urlsplit(request.url).netloc
        ours = urlsplit(f"//{host}")
        return theirs.hostname is not None and (theirs.hostname, theirs.port or default) == (
            ours.hostname,
            ours.port or default,
        )
    except (KeyError, ValueError):
        return False
