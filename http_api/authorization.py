"""Who may: the caller is who App Service authentication says, and what is asked for needs a role.

App Service puts the signed-in principal into the header ``x-ms-client-principal`` (base64 of JSON) and removes the
header from requests that come from outside, but only while its authentication is on; otherwise anybody could write it.
So the header counts only where ``WEBSITE_AUTH_ENABLED`` is true.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson

from http_api.problem import Problem
from settings import Settings

PRINCIPAL_HEADER = "x-ms-client-principal"


class Role(str, Enum):
    """Roles of the app's registration, which docs/security.md holds against every route."""

    GET_STATUS = "GetStatus"
    SEND_TELEMETRY = "SendTelemetry"
    OPERATE = "Operate"


def authorize(settings: Settings, headers: Mapping[str, str], role: Role | None) -> None:
    """Raises the 401 or 403 ``Problem``; ``role`` None is open to everybody."""
    if role is None or settings.auth_mode == "none":
        return
    if not settings.app_service_auth_enabled:
        raise _unauthenticated("App Service authentication is not on, so nobody can be recognised")
    header = headers.get(PRINCIPAL_HEADER)
    if not header:
        raise _unauthenticated("the request has no principal")
    if role.value not in _roles(header):
        raise Problem("forbidden", f"the role {role.value} is needed")


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may. ``name`` is None where the principal says none, or nobody has to sign in."""

    signed_in: bool
    name: str | None
    roles: frozenset[Role]


def who_asks(settings: Settings, headers: Mapping[str, str]) -> Caller:
    """For a person to see, with nothing decided by it: who has not signed in, or not readably, has no role."""
    if settings.auth_mode == "none":
        return Caller(False, None, frozenset(Role))
    header = headers.get(PRINCIPAL_HEADER)
    try:
        if not header or not settings.app_service_auth_enabled:
            raise _unauthenticated("nobody has signed in")
        held = _roles(header)
    except Problem:
        return Caller(False, None, frozenset())
    return Caller(True, caller_name(settings, headers), frozenset(role for role in Role if role.value in held))


def caller_name(settings: Settings, headers: Mapping[str, str]) -> str | None:
    """Who App Service says has signed in; None where nobody has to. To be asked after ``authorize``."""
    header = headers.get(PRINCIPAL_HEADER)
    if settings.auth_mode == "none" or not header:
        return None
    try:
        principal: Any = orjson.loads(base64.b64decode(header, validate=True))
        name_types = (principal.get("name_typ"), "name", "preferred_username", "appid")
        claims = {claim["typ"]: str(claim["val"]) for claim in principal["claims"]}
        return next((claims[kind] for kind in name_types if kind in claims), None)
    except (binascii.Error, orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _roles(header: str) -> frozenset[str]:
    """Role claims of the principal: of type ``roles``, or of the type that the principal itself names."""
    try:
        principal: Any = orjson.loads(base64.b64decode(header, validate=True))
        role_type = principal.get("role_typ")
        types = {"roles"} | ({role_type} if isinstance(role_type, str) and role_type else set())
        claims = principal["claims"]
        if not isinstance(claims, list):
            raise TypeError("claims is no list")
        return frozenset(
            str(claim["val"]) for claim in claims if isinstance(claim["typ"], str) and claim["typ"] in types
        )
    except (binascii.Error, orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        raise _unauthenticated("the principal cannot be read") from None


def _unauthenticated(detail: str) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})
