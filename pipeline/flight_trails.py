"""What the keeper of the flights remembers of a drone between two looks, so that a message costs what it changes.

All of it may be forgotten at any time, and is with the process: a late message then has its whole flight worked out
anew.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from pipeline.ports import Arrival, FlightHead
from telemetry import times
from telemetry.flights import Fold, Stamp, stamp_of
from telemetry.model import Message

LATE_SECONDS = 30.0
"""A message that comes this late in a flight, or less, has no more worked out anew than two or three times this."""
CAPACITY = 20_000
"""Drones; about 2 KB each."""


@dataclass(frozen=True)
class Covered:
    """All messages up to the position ``visible`` with a stamp from ``first`` to before ``end`` are in the flights."""

    first: Stamp
    end: Stamp | None
    visible: int

    def __contains__(self, arrival: Arrival) -> bool:
        if arrival.position > self.visible:
            return False
        stamp = stamp_of(arrival.message)
        return stamp >= self.first and (self.end is None or stamp < self.end)


@dataclass
class Trail:
    """Of one drone: the ``fold`` it was left with, and up to two ``earlier`` ones of the same flight, of which the
    older is at least ``LATE_SECONDS`` behind it as soon as the flight has lasted that long."""

    fold: Fold
    by_mode: bool
    earlier: list[Fold] = field(default_factory=list)
    covered: Covered | None = None

    def of(self, head: FlightHead) -> bool:
        """Whether nobody else has worked on the drone's flights since."""
        return self.by_mode == head.by_mode and self.fold == head.fold

    def before(self, stamp: Stamp) -> Fold | None:
        """The newest fold that rests on nothing from ``stamp`` on."""
        known = ((fold, border(fold)) for fold in reversed(self.earlier))
        return next((fold for fold, last in known if last is not None and last < stamp), None)

    def went_on(self, state: Fold) -> Trail:
        """The trail when ``state`` follows on its fold by messages that are all later."""
        left = self.earlier
        if _id(self.fold) is None or _id(self.fold) != _id(state):
            left = []
        elif not left or _seconds(left[-1], self.fold) >= LATE_SECONDS:
            left = [*left[-1:], self.fold]
        return Trail(state, self.by_mode, left, self.covered)

    def without_covered(self, arrivals: list[Arrival]) -> list[Message]:
        covered = self.covered
        return [arrival.message for arrival in arrivals if covered is None or arrival not in covered]


class Trails:
    """The trails of the drones last worked on."""

    def __init__(self) -> None:
        self._trails: OrderedDict[str, Trail] = OrderedDict()

    def of(self, head: FlightHead) -> Trail:
        trail = self._trails.get(head.device_id)
        return trail if trail is not None and trail.of(head) else Trail(head.fold, head.by_mode)

    def keep(self, device_id: str, trail: Trail) -> None:
        self._trails[device_id] = trail
        self._trails.move_to_end(device_id)
        if len(self._trails) > CAPACITY:
            self._trails.popitem(last=False)

    def forget(self, device_id: str) -> None:
        self._trails.pop(device_id, None)

    def clear(self) -> None:
        self._trails.clear()


def border(state: Fold) -> Stamp | None:
    """Messages later than this are new to the fold; None when it has seen no flight."""
    flying = state["pausing"] or state["flight"]
    return state["idleFrom"] if flying is None else flying["lastStamp"]


def _id(state: Fold) -> str | None:
    return None if state["flight"] is None else state["flight"]["id"]


def _seconds(earlier: Fold, later: Fold) -> float:
    first, last = border(earlier), border(later)
    assert first is not None
    assert last is not None
    return times.seconds_between(first[0], last[0])
