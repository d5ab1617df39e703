"""When an alert is raised and cleared, and who is told."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import blake2b

from settings.addresses import problem_of
from settings.errors import SettingError
from settings.reader import Reader

MOST_WEBHOOKS = 8
_SECRET_PREFIX = "whsec_"


@dataclass(frozen=True)
class Webhook:
    """One receiver. ``key`` stands for the URL, which may hold a secret, wherever anybody could read it."""

    key: str
    url: str


@dataclass(frozen=True)
class Alerts:
    """Seconds where the names say so."""

    raise_seconds: float
    clear_seconds: float
    max_age_seconds: float
    escalate_seconds: float
    retry_seconds: float
    webhooks: tuple[Webhook, ...]
    webhook_secret: str | None


def read_alerts(read: Reader) -> Alerts:
    webhooks = _webhooks(read)
    secret = read.optional("ALERT_WEBHOOK_SECRET")
    if secret is not None:
        _check_secret(secret)
    elif webhooks:
        raise SettingError("ALERT_WEBHOOK_SECRET", f"is not set; ALERT_WEBHOOKS needs it: {_SECRET_PREFIX} and base64")
    return Alerts(
        raise_seconds=read.number("ALERT_RAISE_SECONDS", 2, 0, 1e6, "a number of seconds, 0 or more"),
        clear_seconds=read.number("ALERT_CLEAR_SECONDS", 10, 0, 1e6, "a number of seconds, 0 or more"),
        max_age_seconds=read.seconds("ALERT_MAX_AGE_SECONDS", 120),
        escalate_seconds=read.seconds("ALERT_ESCALATE_SECONDS", 300),
        retry_seconds=read.number("ALERT_RETRY_SECONDS", 3600, 0, 1e6, "a number of seconds, 0 or more"),
        webhooks=webhooks,
        webhook_secret=secret,
    )


def _webhooks(read: Reader) -> tuple[Webhook, ...]:
    name = "ALERT_WEBHOOKS"
    urls = list(dict.fromkeys(part.strip() for part in (read.optional(name) or "").split(",") if part.strip()))
    if len(urls) > MOST_WEBHOOKS:
        raise SettingError(name, f"has {len(urls)} URLs; allowed: at most {MOST_WEBHOOKS}")
    for number, url in enumerate(urls, start=1):
        problem = problem_of(url)
        if problem is not None:
            raise SettingError(name, f"URL {number} {problem}; allowed: https URLs, or http to a loopback address")
    return tuple(Webhook(blake2b(url.encode(), digest_size=5).hexdigest(), url) for url in urls)


def _check_secret(secret: str) -> None:
    encoded = secret.removeprefix(_SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True) if secret.startswith(_SECRET_PREFIX) else b""
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise SettingError(
            "ALERT_WEBHOOK_SECRET", f"is malformed (value not shown); allowed: {_SECRET_PREFIX} and base64"
        )
