"""History timestamps without dateutil."""

from __future__ import annotations

import importlib
from datetime import datetime
from functools import lru_cache

from dateutil.parser import parse as _slow  # type: ignore[import-untyped]

from functions_host.durable.acceleration.patches import TIMESPANS, TIMESTAMPS

# What dateutil makes of "Z" depends on the machine's own zone.
_UTC = _slow("1970-01-01T00:00:00Z").tzinfo


@lru_cache(maxsize=16_384)
def parse_timestamp(text: str) -> datetime:
    """As ``dateutil.parser.parse``: the protocol's own form quickly, any other by dateutil itself.

    The fraction has up to seven digits; dateutil cuts after six, and so does this.
    """
    if len(text) >= 20 and text[-1] == "Z" and text[10] == "T" and text.isascii():
        fraction = text[20:-1]
        if text[19] == "Z" and len(text) == 20:
            return datetime.fromisoformat(text[:19]).replace(tzinfo=_UTC)
        if text[19] == "." and fraction.isdigit():
            return datetime.fromisoformat(f"{text[:19]}.{fraction[:6]:0<6}").replace(tzinfo=_UTC)
    parsed: datetime = _slow(text)
    return parsed


def install_timestamps() -> None:
    """Let the SDK's history events use it."""
    TIMESTAMPS.install(parse_timestamp)
    if TIMESPANS.original is None and TIMESPANS.is_known():
        names = importlib.import_module(TIMESPANS.module)
        TIMESPANS.install(lru_cache(maxsize=16)(names.parse_timespan_attrib))
