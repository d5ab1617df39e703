"""The fleet as a filtered, paged list over the Durable entity list, at a bounded cost per request.

The extension can page through entities and skip those not operated on since a time, nothing else; every other filter is
ours and costs one read entity per looked-at drone. So a request looks at no more than ``SCAN_BUDGET`` drones and stops
after ``SCAN_SECONDS``: it then answers what it found so far, with a continuation that goes on from there. A short, even
empty, page may therefore still carry a continuation; docs/fleet-queries.md has the costs.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any, Protocol, cast

from durable_sdk import EntityPage
from http_api.parameters import BoundingBox
from observability import log
from pipeline.ports import InvalidContinuation
from storage.continuation import decode, encode, query_digest
from telemetry.model import DroneState
from telemetry.times import add_seconds

SCAN_BUDGET = 5000
SCAN_SECONDS = 2.0
SCAN_PAGE = 1000

# A drone's entity is operated on after the hub took the message, by the clocks of two services that may differ so much.
CLOCK_SKEW_SECONDS = 300.0

# Printable ASCII: it travels in a header. Whoever hands a token in may have made it himself.
_HOST_TOKEN = re.compile(r"[ -~]{1,4096}")

View = dict[str, Any]


class EntityLister(Protocol):
    async def page(self, top: int, token: str | None, *, operated_from: str | None = None) -> EntityPage: ...


@dataclass(frozen=True)
class FleetFilter:
    connectivity: str | None = None
    alert: str | None = None
    flight_mode: str | None = None
    zone: str | None = None
    bbox: BoundingBox | None = None
    changed_since: str | None = None  # canonical time
    id_prefix: str | None = None

    def is_empty(self) -> bool:
        return self == FleetFilter()

    def admits_state(self, key: str, state: DroneState) -> bool:
        """What can be told without working out the view."""
        return (self.id_prefix is None or key.startswith(self.id_prefix)) and (
            self.changed_since is None or state["lastSeen"] > self.changed_since
        )

    def admits(self, view: View) -> bool:
        return (
            (self.connectivity is None or view["connectivity"] == self.connectivity)
            and (self.flight_mode is None or view["flightMode"] == self.flight_mode)
            and (self.alert is None or any(alert["code"] == self.alert for alert in view["alerts"]))
            and (self.zone is None or self.zone in (view["derived"]["zones"] or ()))
            and (self.bbox is None or _inside(self.bbox, view["position"]))
        )


def _inside(box: BoundingBox, position: dict[str, Any] | None) -> bool:
    if position is None or position["latitude"] is None or position["longitude"] is None:
        return False
    west, south, east, north = box
    longitude = position["longitude"]
    crosses = west > east
    in_width = (longitude >= west or longitude <= east) if crosses else west <= longitude <= east
    return in_width and bool(south <= position["latitude"] <= north)


@dataclass(frozen=True)
class FleetPage:
    items: list[View]
    continuation: str | None


@dataclass
class _Position:
    """Where a scan goes on: the host's page ``token``, and the key after which (None: from the page's beginning)."""

    token: str | None = None
    after: str | None = None


async def list_fleet(
    entities: EntityLister,
    view: Callable[[DroneState], View],
    where: FleetFilter,
    limit: int,
    continuation: str | None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> FleetPage:
    """Drones in the extension's order; ``view`` makes the answer's object of a stored state.

    Raises ``InvalidContinuation`` for a continuation of another list.
    """
    query = query_digest("fleet", *astuple(where))
    position = _Position(*(text or None for text in decode(query, continuation, 2) or ()))
    if position.token is not None and not _HOST_TOKEN.fullmatch(position.token):
        raise InvalidContinuation("the continuation token holds no token of the extension")
    operated_from = None if where.changed_since is None else add_seconds(where.changed_since, -CLOCK_SKEW_SECONDS)
    # Unfiltered, every drone looked at is one of the answer; filtered, few may be, and pages cost more than rows.
    top = limit if where.is_empty() else SCAN_PAGE
    found: list[View] = []
    looked_at = 0
    give_up_at = clock() + SCAN_SECONDS
    while True:
        page = await entities.page(top, position.token, operated_from=operated_from)
        rest = _after(page.items, position.after)
        finished = True
        for number, (key, state) in enumerate(rest, start=1):
            seen = _seen(key, state, view, where)
            if seen is not None:
                found.append(seen)
            if len(found) == limit:
                position.after = key
                finished = number == len(rest)
                break
        looked_at += len(page.items)
        if finished:
            if page.token is None:
                return FleetPage(found, None)
            position = _Position(page.token)
        if len(found) == limit or looked_at >= SCAN_BUDGET or clock() >= give_up_at:
            return FleetPage(found, encode(query, position.token or "", position.after or ""))


def _seen(key: str, state: Any, view: Callable[[DroneState], View], where: FleetFilter) -> View | None:
    """The view of a drone that the filter admits. A state that is none is left out: it must not hide all others."""
    if not isinstance(state, dict):
        return None
    try:
        known = cast(DroneState, state)
        if where.admits_state(key, known):
            seen = view(known)
            if where.admits(seen):
                return seen
    except Exception as error:
        log(logging.ERROR, "left out of the fleet: its state is none", deviceId=key, error=repr(error))
    return None


def _after(items: list[tuple[str, Any]], key: str | None) -> list[tuple[str, Any]]:
    if key is None:
        return items
    for number, (candidate, _) in enumerate(items):
        if candidate == key:
            return items[number + 1 :]
    # That drone was deleted since. Where the page is in the order of its keys, the place is still known.
    return [item for item in items if item[0] > key]
