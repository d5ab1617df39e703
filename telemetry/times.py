"""Times as text. Canonical is ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` in UTC: always 27 characters, so it sorts as text."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

# What nearly every device sends: UTC, no more than microseconds, a day every month has. It needs no arithmetic at all.
_PLAIN = re.compile(
    r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,6})?Z"
).fullmatch
# By the length of such a text: what makes it canonical when put in the place of its ``Z``.
_PADDING = {20: ".000000Z", **{21 + digits: "0" * (6 - digits) + "Z" for digits in range(1, 7)}}
_ANY = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
).fullmatch
_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z").fullmatch


def parse_rfc3339(text: str) -> str:
    """Canonical form of an RFC 3339 date-time with offset; what is finer than a microsecond is cut off.

    Raises ValueError for anything else: no offset, a space for the ``T``, impossible dates, years outside 0001–9999.
    A leap second (23:59:60 UTC at the end of a month) is the first moment of the next day, as POSIX counts it.
    """
    if _PLAIN(text) is not None:
        return text[:-1] + _PADDING[len(text)]
    match = _ANY(text)
    if match is None:
        raise ValueError("not an RFC 3339 date-time with offset")
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    leap = second == 60
    try:
        moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=timezone.utc)
        if match[8] is not None:
            offset_hours, offset_minutes = int(match[9]), int(match[10])
            if offset_hours > 23 or offset_minutes > 59:
                raise ValueError("offset out of range")
            offset = timedelta(hours=offset_hours, minutes=offset_minutes)
            moment = moment - offset if match[8] == "+" else moment + offset
        fraction = f"{match[7] or '':0<6}"[:6]
        if leap:
            moment += timedelta(seconds=1)
            if (moment.day, moment.hour, moment.minute, moment.second) != (1, 0, 0, 0):
                raise ValueError("a leap second ends a month in UTC")
            fraction = "000000"
    except OverflowError as error:
        raise ValueError("outside the years 0001 to 9999") from error
    return from_datetime(moment)[:20] + fraction + "Z"


def from_epoch_ms(milliseconds: int) -> str:
    """Canonical form of integer milliseconds since 1970-01-01T00:00Z. ValueError outside the years 0001 to 9999."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}{rest:03d}000Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    """Canonical text up to the fraction: a batch's many messages are of few seconds."""
    try:
        return from_datetime(_EPOCH + timedelta(seconds=seconds))[:20]
    except OverflowError as error:
        raise ValueError("outside the years 0001 to 9999") from error


def from_datetime(moment: datetime) -> str:
    """Canonical form of an aware datetime. ValueError for a naive one: nobody knows which moment it means."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone is no moment")
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def to_datetime(canonical: str) -> datetime:
    """The aware datetime of canonical text. ValueError for any other text."""
    if _CANONICAL(canonical) is None:
        raise ValueError(f"not canonical time text: {canonical!r}")
    return datetime.fromisoformat(canonical[:26]).replace(tzinfo=timezone.utc)


def add_seconds(canonical: str, seconds: float) -> str:
    """Canonical text so much later; held at the year 9999's (or 0001's) end rather than failing."""
    try:
        return from_datetime(to_datetime(canonical) + timedelta(seconds=seconds))
    except OverflowError:
        return "9999-12-31T23:59:59.999999Z" if seconds > 0 else "0001-01-01T00:00:00.000000Z"


def seconds_between(earlier: str, later: str) -> float:
    """``later - earlier`` in seconds, both canonical; negative when they are the other way round."""
    return (to_datetime(later) - to_datetime(earlier)) / timedelta(seconds=1)


def epoch_microseconds(canonical: str) -> int:
    """Whole microseconds since 1970-01-01T00:00Z."""
    return (to_datetime(canonical) - _EPOCH) // _MICROSECOND


def display(canonical: str) -> str:
    """The shortest lossless form for people: no fraction when it is zero, else three digits, else six."""
    if canonical[20:26] == "000000":
        return canonical[:19] + "Z"
    if canonical[23:26] == "000":
        return canonical[:23] + "Z"
    return canonical
