"""Who may: no page of another site operates this host with its owner's browser, and nobody by another name.

A browser says where a request comes from (``Origin``, ``Sec-Fetch-Site``) whenever a page makes it send one; programs
say neither and are not held up. A page whose own name was made to mean this machine (DNS rebinding) shows in ``Host``.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import web

from functions_host.http.cors import Cors

KEY_SETTING = "FUNCTIONS_HOST_KEY"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Read in a way that does something.
_ACTING_PATHS = frozenset({"/admin/warmup"})
# What says that the host is up, and nothing else.
_ALWAYS_OPEN = frozenset({"/admin/host/status", "/admin/host/ping"})
# What a page may send anywhere without asking first (a missing content type among them).
_WITHOUT_PREFLIGHT = frozenset({"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Guard:
    """`allowed_hosts` are names beside loopback and the address a connection came in by; ``*`` allows every one.

    `closed`: the admin and management APIs ask for the key of the setting FUNCTIONS_HOST_KEY, and let nobody in
    without such a setting.
    """

    allowed_hosts: frozenset[str] = frozenset()
    cors: Cors | None = None
    closed: bool = False

    @classmethod
    def of(cls, allowed_hosts: Iterable[str], cors: Cors | None, *, closed: bool) -> Guard:
        return cls(frozenset(name.lower().rstrip(".") for name in allowed_hosts), cors, closed)

    def check(self, request: web.BaseRequest) -> None:
        """For every request. Raises 400 for a Host that is not ours."""
        names = request.headers.getall("Host", [])
        if len(names) > 1 or (names and names[0] and not self._is_our_name(names[0], request)):
            raise web.HTTPBadRequest(
                text=f"The Host {', '.join(names)[:200]!r} is not this host's; --allowed-host names further ones.\n"
            )

    def check_management(self, request: web.BaseRequest) -> None:
        """For the admin and the management API. Raises 401, 403 or 415."""
        path = request.raw_path.partition("?")[0].rstrip("/").lower()
        if self.closed and not (path in _ALWAYS_OPEN and request.method in _READING) and not _has_key(request):
            raise web.HTTPUnauthorized(
                text=f"The admin and management APIs are closed; they ask for the key that {KEY_SETTING} sets.\n"
            )
        if request.method in _READING and path not in _ACTING_PATHS:
            return
        if self._is_foreign(request.headers, request):
            raise web.HTTPForbidden(
                text="The request was made by another site's page. CORS in local.settings.json names those that may.\n"
            )
        media = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if request.body_exists and media in _WITHOUT_PREFLIGHT:
            raise web.HTTPUnsupportedMediaType(text="A body needs a content type such as application/json.\n")

    def _is_our_name(self, host: str, request: web.BaseRequest) -> bool:
        name = _hostname(host)
        if name is None:
            return False
        if "*" in self.allowed_hosts or name in self.allowed_hosts:
            return True
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        local = request.transport.get_extra_info("sockname") if request.transport is not None else None
        return address.is_loopback or (local is not None and name == str(local[0]).partition("%")[0].lower())

    def _is_foreign(self, headers: Mapping[str, str], request: web.BaseRequest) -> bool:
        origin = headers.get("Origin", "").strip().lower()
        site = headers.get("Sec-Fetch-Site", "").strip().lower()
        if self.cors is not None and origin and self.cors.admits(origin):
            return False
        if site == "cross-site":
            return True
        return bool(origin) and site != "same-origin" and not _is_own_origin(origin, headers.get("Host", ""))


def _has_key(request: web.BaseRequest) -> bool:
    key = os.environ.get(KEY_SETTING, "")
    given = request.headers.get("x-functions-key") or request.query.get("code") or ""
    return bool(key) and hmac.compare_digest(given.encode("utf-8", "replace"), key.encode("utf-8", "replace"))


@lru_cache(maxsize=64)
def _hostname(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        if parts.username is not None or parts.path or parts.query or parts.fragment or (parts.port or 0) < 0:
            return None
        return (parts.hostname or "").rstrip(".") or None
    except ValueError:
        return None


def _is_own_origin(origin: str, host: str) -> bool:
    """Whether the origin's host and port are those the request was sent to.

    Not its scheme: where TLS ends in front of this host, it sees http.
    """
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{host.lower()}")
        default = _PORTS[theirs.scheme]
        return theirs.hostname is not None and (theirs.hostname, theirs.port or default) == (
            ours.hostname,
            ours.port or default,
        )
    except (KeyError, ValueError):
        return False
