"""One line a happening: plain words first, then the ids that join it to others, as JSON.

The ids carry the names of the HTTP API (batchId, instanceId, messageId, deviceId, deadLetterId), so that one search
finds a batch in the log, in the ledger and in the Durable status API. In Application Insights a query takes them apart:
``traces | extend ids = parse_json(substring(message, indexof(message, "{")))``.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import orjson

_LOGGER = logging.getLogger("dronetelemetry")


def log(level: int, happening: str, **ids: Any) -> None:
    """Log ``happening`` with its ids; those that are None are left out. Never raises."""
    if not _LOGGER.isEnabledFor(level):
        return
    known = {name: value for name, value in ids.items() if value is not None}
    try:
        text = orjson.dumps(known, default=str).decode()
    except orjson.JSONEncodeError:
        text = orjson.dumps({name: repr(value) for name, value in known.items()}).decode()
    _LOGGER.log(level, "%s %s", happening, _UNPRINTABLE.sub(_escaped, text))


# Beyond what JSON escapes: what ends a line, or turns around the order in which it is read, for some reader of logs.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
