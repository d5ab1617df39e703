"""Starting positions: the selector filter of a consumer's source, as Event Hubs' SDKs write it."""

from __future__ import annotations

from typing import Any

from .amqp.errors import INVALID_FIELD, LinkFault
from .amqp.types import Described, Symbol
from .log.partition_log import PartitionLog

_FILTER = Symbol("apache.org:selector-filter:string")
_PREFIX = "amqp.annotation.x-opt-"
_KINDS = ("offset", "sequence-number", "enqueued-time", "enqueuedtimeutc")
_LATEST = "@latest"
# A number of 64 bits has 20 characters with its sign; longer selectors are not even looked at.
_LONGEST = 256


def selector_of(source: Any) -> str | None:
    """The selector in a source (the described list of attach), or None if it has no filter."""
    fields = source.value if isinstance(source, Described) else None
    filters = fields[7] if isinstance(fields, list) and len(fields) > 7 else None
    if not isinstance(filters, dict):
        return None
    for name, value in filters.items():
        if name == _FILTER:
            value = value.value if isinstance(value, Described) else value
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return None


def starting_address(log: PartitionLog[Any], selector: str | None) -> int:
    """Where a consumer starts to read. Raises LinkFault for a selector that names no position."""
    if selector is None:
        return log.start
    kind, inclusive, value = _parse(selector)
    if value == _LATEST:
        return log.end
    try:
        number = int(value)
    except ValueError:
        raise _no_position(selector) from None
    if not -(2**62) < number < 2**62:
        raise LinkFault(INVALID_FIELD, f"the filter {selector!r:.200} is out of range")
    if kind == "offset":
        _within(number, log.end, "offset", log.state().last_offset)
        return log.after_offset(number, inclusive=inclusive)
    if kind == "sequence-number":
        last = log.state().last_sequence_number
        _within(number, last + 1, "sequence number", last)
        return log.after_sequence_number(number, inclusive=inclusive)
    return log.after_time(number, inclusive=inclusive)


def _parse(selector: str) -> tuple[str, bool, str]:
    """(kind, whether inclusive, value in lower case) of a selector. Raises LinkFault."""
    text = selector.strip().lower() if len(selector) <= _LONGEST else ""
    name, greater, value = text.partition(">")
    name = name.rstrip()
    kind = name.removeprefix(_PREFIX)
    if not greater or not name.startswith(_PREFIX) or kind not in _KINDS:
        raise _no_position(selector)
    inclusive = value.startswith("=")
    value = value.removeprefix("=").strip()
    if len(value) >= 2 and value[0] == value[-1] == "'":
        value = value[1:-1]
    return kind, inclusive, value


def _no_position(selector: str) -> LinkFault:
    return LinkFault(INVALID_FIELD, f"the filter {selector[:200]!r} names no position")


def _within(number: int, limit: int, what: str, last: int) -> None:
    # As the service says it: a checkpoint of another, longer life of the hub must not pass as "nothing new".
    if number > limit:
        raise LinkFault(
            "com.microsoft:argument-error",
            f"The supplied {what} '{number}' is invalid. The last {what} in the system is '{last}'.",
        )
