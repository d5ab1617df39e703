"""Times as text. Canonical is ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` in UTC: always 27 characters, so it sorts as text."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Decimal
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
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)"
).fullmatch
_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z").fullmatch


def parse_rfc3339(text: str) -> str:
    """Canonical form of an RFC 3339 date-time with offset; what is finer than a microsecond is cut off. As senders
    write it besides: a blank for the ``T``, and offsets as in ``+0000`` and ``+00``.

    Raises ValueError for anything else: no offset, impossible dates, years outside 0001–9999. The text says what is
    wrong, as far as that can be told.
    A leap second (23:59:60 UTC at the end of a month) is the first moment of the next day, as POSIX counts it.
    """
    if _PLAIN(text) is not None:
        return text[:-1] + _PADDING[len(text)]
    match = _ANY(text)
    if match is None:
        raise ValueError(_what_is_wrong(text))
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    leap = second == 60
    try:
        moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=timezone.utc)
        if match[8] is not None:
            offset_hours, offset_minutes = int(match[9]), int(match[10] or 0)
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


_NO_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?").fullmatch
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?").fullmatch
_FORM = "as in 2026-01-31T12:00:00.5Z or 2026-01-31T13:00:00+01:00"


def _what_is_wrong(text: str) -> str:
    if _NO_OFFSET(text):
        return f"the offset is missing: which moment this is depends on it; write Z for UTC, {_FORM}"
    if _DATE(text):
        return f"a date alone; the time and its offset are missing, {_FORM}"
    if _NUMBER(text):
        return f"a number in quotes; send seconds or milliseconds since 1970 without them, or a date and time, {_FORM}"
    return f"not an RFC 3339 date-time with offset, {_FORM}"


# A number below it is seconds since the epoch, else milliseconds: as seconds it would be the year 5138.
_MILLISECONDS_FROM = 10**11
_LAST_SECOND = 253_402_300_799  # of the year 9999
_LAST_MILLISECOND = _LAST_SECOND * 1000
_PLAUSIBLE = range(946_684_800, 4_102_444_800)  # seconds of 2000 to 2099


def from_epoch(number: int | float) -> str:
    """Canonical form of a finite number since 1970-01-01T00:00Z: seconds if it is below 1e11, else milliseconds;
    fractions to the microsecond, cut off. ValueError outside the years 0001 to 9999, with what it looks like."""
    if type(number) is int and _MILLISECONDS_FROM <= number < _LAST_MILLISECOND:
        # What nearly every device sends.
        return f"{_second(number // 1000)}{number % 1000:03d}000Z"
    if number < _MILLISECONDS_FROM:
        seconds, micros = _split(number, 1, 1_000_000)
    else:
        seconds, micros = _split(number, 1000, 1000)
    if seconds > _LAST_SECOND:
        for unit, factor in (("microseconds", 10**6), ("nanoseconds", 10**9)):
            if int(number // factor) in _PLAUSIBLE:
                raise ValueError(f"looks like {unit}; send seconds or milliseconds since 1970")
        raise ValueError("too large for seconds or milliseconds since 1970")
    return f"{_second(seconds)}{micros:06d}Z"


def _split(number: int | float, per_second: int, micros: int) -> tuple[int, int]:
    """Whole seconds, and the microseconds above them. ``micros``: how many one unit of the number is."""
    if type(number) is int:
        whole, rest = divmod(number, per_second)
        return whole, rest * micros
    # The shortest decimal that is this double is what the sender wrote; its binary value may lie a little below.
    total = int((Decimal(repr(number)) * micros).to_integral_value(ROUND_FLOOR))
    return divmod(total, 1_000_000)


def from_word(word: object) -> str:
    """Canonical form of a time in either form. ValueError for anything else."""
    if type(word) is str:
        try:
            return parse_rfc3339(word)
        except ValueError:
            return parse_rfc3339(word + "Z")  # what gateways call UTC in the property's name
    if type(word) is int or (type(word) is float and math.isfinite(word)):
        return from_epoch(word)
    raise ValueError("no time")


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
    return (microseconds(later) - microseconds(earlier)) / 1_000_000


def epoch_microseconds(canonical: str) -> int:
    """Whole microseconds since 1970-01-01T00:00Z."""
    return (to_datetime(canonical) - _EPOCH) // _MICROSECOND


def microseconds(canonical: str) -> int:
    """As ``epoch_microseconds``, quicker for many times of few seconds."""
    second = canonical[:20]
    base = _BASES.get(second)
    if base is None:
        if len(_BASES) >= 4096:
            _BASES.clear()
        base = _BASES[second] = epoch_microseconds(second + "000000Z")
    return base + int(canonical[20:26])


_BASES: dict[str, int] = {}


def from_microseconds(microseconds: int) -> str:
    """Canonical text. ValueError outside the years 0001 to 9999."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_second(seconds)}{rest:06d}Z"
