"""Which events of the hub have come to this store, so that it shows when some never did.

The trigger hands over each partition's events in order, without gaps, and the host's checkpoint says how far. A store
that was lost, emptied, or taken from a backup does not know what came before; the checkpoints do not know that either,
and go on where they stand. The store therefore keeps, for each partition, the ranges of sequence numbers that it has
received: what the hub still holds and no range has is missing, and can be read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Range = tuple[int, int]
"""First and last sequence number, both included."""


@dataclass(frozen=True)
class Coverage:
    """Received ranges by (hub, partition), in order, disjoint and not adjacent.

    ``adopted``: the store is older than this bookkeeping. What lies before the first range of a partition, or a
    partition without any, may have come and been purged: it counts as received.
    """

    ranges: Mapping[tuple[str, str], tuple[Range, ...]] = field(default_factory=dict)
    adopted: bool = False

    def missing(self, hub: str, partition: str, oldest: int, newest: int) -> list[Range]:
        """Ranges among ``oldest`` to ``newest`` (what the hub holds) that have not come, in order.

        The last one may be what is only on its way: see ``behind``.
        """
        known = list(self.ranges.get((hub, partition), ()))
        if self.adopted:
            known = [(0, known[0][1]), *known[1:]] if known else [(0, newest)]
        found: list[Range] = []
        following = oldest
        for first, last in known:
            if first > following and following <= newest:
                found.append((following, min(first - 1, newest)))
            following = max(following, last + 1)
        if following <= newest:
            found.append((following, newest))
        return found

    def expired(self, hub: str, partition: str, oldest: int) -> list[Range]:
        """Ranges behind the first one that came that never came and that the hub, from ``oldest`` on, has no more."""
        known = self.ranges.get((hub, partition), ())
        following = [first for first, _ in known[1:]] + [oldest]
        gaps = [(last + 1, min(after, oldest) - 1) for (_, last), after in zip(known, following, strict=False)]
        return [(first, last) for first, last in gaps if first <= last]

    def behind(self, hub: str, partition: str) -> int:
        """The largest sequence number that has come, -1 without any. Missing events behind it were passed over; those
        after it may be on their way."""
        known = self.ranges.get((hub, partition))
        return known[-1][1] if known else -1


def add(ranges: Iterable[Range], first: int, last: int) -> list[Range]:
    """``ranges`` with one more, those that touch made one."""
    result: list[Range] = []
    for one in sorted([*ranges, (first, last)]):
        if result and one[0] <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], one[1]))
        else:
            result.append(one)
    return result


def count(ranges: Iterable[Range]) -> int:
    return sum(last - first + 1 for first, last in ranges)


@dataclass(frozen=True)
class HubPartition:
    """What a partition of the hub holds: sequence numbers ``oldest`` to ``newest``; nothing when ``newest`` is less."""

    id: str
    oldest: int
    newest: int


@dataclass(frozen=True)
class MissingEvents:
    """Events that the hub holds and that never came to this store."""

    partition: str
    ranges: tuple[Range, ...]

    @property
    def events(self) -> int:
        return count(self.ranges)

    @property
    def text(self) -> str:
        shown = ", ".join(f"{first} to {last}" for first, last in self.ranges[:3]) + (", …" if self.ranges[3:] else "")
        return (
            f"{self.events} events that partition {self.partition} of the hub holds (sequence numbers {shown}) "
            "have not come to this store: it was lost or restored, or the trigger does not run; "
            "`python -m telemetry_admin recover` reads them again"
        )


QUIET_SECONDS = 10.0
"""Events after the last one that came are on their way, unless for so long none has come."""


class Watch:
    """Tells events that were passed over from those that are on their way; remembers what it saw last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._seen: dict[tuple[str, str], tuple[int, float]] = {}

    def look(self, coverage: Coverage, hub: str, partitions: Iterable[HubPartition]) -> list[MissingEvents]:
        now = self._clock()
        found = []
        for one in partitions:
            behind = coverage.behind(hub, one.id)
            # A store that has nothing of a partition yet is watched from the start, or a lost one would look well.
            seen, since = self._seen.get((hub, one.id), (behind, self._began if behind < 0 else now))
            if seen != behind:
                since = now
            self._seen[hub, one.id] = (behind, since)
            ranges = coverage.missing(hub, one.id, one.oldest, one.newest)
            if now - since < QUIET_SECONDS:
                ranges = [(first, last) for first, last in ranges if last < behind]
            if ranges:
                found.append(MissingEvents(one.id, tuple(ranges)))
        return found
