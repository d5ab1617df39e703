"""The addresses links attach to, with or without `amqps://host/` before them."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import unquote

from event_hubs_emulator.amqp.errors import NOT_FOUND, LinkFault
from event_hubs_emulator.amqp.types import Described

CBS, MANAGEMENT = "$cbs", "$management"
# The names in it have at most 256 characters each.
_LONGEST = 1024


class Address(NamedTuple):
    """A parsed address. `node` is `$cbs` or `$management`, or None for a hub."""

    node: str | None = None
    hub: str = ""
    group: str | None = None
    partition: str | None = None


def address_of(terminus: Any) -> str:
    """The address in a source or target (a described list), empty if there is none."""
    fields = terminus.value if isinstance(terminus, Described) else None
    value = fields[0] if isinstance(fields, list) and fields else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else ""


def parse_address(text: str) -> Address:
    """Read `hub`, `hub/Partitions/n`, `hub/ConsumerGroups/g/Partitions/n`, `$cbs`, `$management`. Raises LinkFault."""
    if len(text) > _LONGEST:
        raise _not_found(text)
    parts = _path(text).split("/")
    last = parts[-1].lower()
    if last in (CBS, MANAGEMENT):
        return Address(node=last)
    kinds = [part.lower() for part in parts[1::2]]
    if len(parts) == 1 and parts[0]:
        return Address(hub=parts[0])
    if len(parts) == 3 and kinds == ["partitions"]:
        return Address(hub=parts[0], partition=parts[2])
    if len(parts) == 5 and kinds == ["consumergroups", "partitions"] and parts[2]:
        return Address(hub=parts[0], group=parts[2], partition=parts[4])
    raise _not_found(text)


def hub_of_audience(text: str) -> str | None:
    """The name of the hub that a token is for, such as `sb://host/hub/Partitions/0`; None if it names none."""
    if len(text) > _LONGEST:
        return text[:_LONGEST]
    return _path(text).split("/")[0] or None


def _path(text: str) -> str:
    """What follows `amqps://host/`, or all of a text without it."""
    scheme, found, rest = text.partition("://")
    return unquote(rest.partition("/")[2] if found and "/" not in scheme else text).strip("/")


def _not_found(text: str) -> LinkFault:
    return LinkFault(NOT_FOUND, f"The messaging entity '{text[:200]}' could not be found.")
