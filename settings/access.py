"""Who is let in: ``AUTH_MODE``, and which pages of other sites may change things: ``ALLOWED_ORIGINS``."""

from __future__ import annotations

import json
import re

from settings.errors import SettingError
from settings.reader import Reader


def read_auth_mode(read: Reader, in_azure: bool) -> str:
    mode = read.choice("AUTH_MODE", "none", ("none", "app-service"))
    if mode == "none" and in_azure and not read.flag("ALLOW_ANONYMOUS_IN_AZURE"):
        raise SettingError(
            "AUTH_MODE",
            "is 'none', which lets everybody in; allowed in Azure: 'app-service', or 'none' with "
            "ALLOW_ANONYMOUS_IN_AZURE=1",
        )
    return mode


def read_allowed_origins(read: Reader) -> frozenset[str]:
    """``https://one.example,https://two.example`` or ``*``; and what the platform's CORS settings allow, where the host
    tells it in ``WEBSITE_CORS_ALLOWED_ORIGINS`` (a JSON array)."""
    origins = {part.strip().lower() for part in (read.optional("ALLOWED_ORIGINS") or "").split(",") if part.strip()}
    for origin in sorted(origins - {"*"}):
        if not re.fullmatch(r"https?://[a-z0-9.\-\[\]:]+", origin):
            raise SettingError(
                "ALLOWED_ORIGINS", f"has {origin!r}; allowed: origins (https://example.org), separated by commas, or *"
            )
    return frozenset(origins | _platforms(read))


def _platforms(read: Reader) -> set[str]:
    try:
        found = json.loads(read.optional("WEBSITE_CORS_ALLOWED_ORIGINS") or "[]")
    except ValueError:
        return set()
    return {one.rstrip("/").lower() for one in found if isinstance(one, str)} if isinstance(found, list) else set()
