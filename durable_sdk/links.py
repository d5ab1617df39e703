"""Links to instances, without the task hub's key: whoever holds that may do anything to every instance."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def without_code(url: str) -> str:
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name.lower() != "code"]
    return urlunsplit(parts._replace(query=urlencode(kept, safe="{}")))
