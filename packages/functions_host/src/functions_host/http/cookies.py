"""Set-Cookie as it leaves the real host: taken apart by the worker, put together again by ASP.NET."""

from __future__ import annotations

from datetime import timezone
from email.utils import format_datetime, parsedate_to_datetime
from http.cookies import Morsel
from urllib.parse import quote

_SAME_SITE = ("lax", "strict", "none")


def set_cookie(morsel: Morsel[str]) -> str:
    """The value of one Set-Cookie header.

    Raises ValueError for an ``Expires`` that is no date, TypeError for a ``Max-Age`` that is no number: the worker
    fails the invocation for either.
    """
    # ASP.NET escapes all but the unreserved characters of RFC 3986.
    parts = [f"{morsel.key}={quote(morsel.value, safe='')}"]
    if morsel["expires"]:
        parts.append(f"expires={_date(morsel['expires'])}")
    if morsel["max-age"] not in ("", None):
        parts.append(f"max-age={_seconds(morsel['max-age'])}")
    parts += [f"{name}={morsel[name]}" for name in ("domain", "path") if morsel[name]]
    if morsel["secure"]:
        parts.append("secure")
    if str(morsel["samesite"]).lower() in _SAME_SITE:
        parts.append(f"samesite={str(morsel['samesite']).lower()}")
    if morsel["httponly"]:
        parts.append("httponly")
    return "; ".join(parts)


def _date(text: str) -> str:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        raise ValueError(f"Can not parse value {text} of expires in the cookie due to invalid format.") from None
    return format_datetime(moment.replace(tzinfo=moment.tzinfo or timezone.utc).astimezone(timezone.utc), usegmt=True)


def _seconds(text: object) -> int:
    try:
        return int(float(str(text)))
    except (ValueError, OverflowError):
        raise TypeError(f"Cannot parse value {text} of 'cookie.maxAge' to float.") from None
