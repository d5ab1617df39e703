"""The fleet: whose turn it is when, and what is sent then. The same seed gives the same flights and the same faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from simulator.drone import Drone, Sample
from simulator.faults import Faults, corrupted
from simulator.formats import FORMATS
from simulator.frames import changes, message


@dataclass(frozen=True)
class Outgoing:
    """One event to send: one message of the drone with this number."""

    drone: int
    body: bytes
    corrupted: bool = False
    duplicated: bool = False


@dataclass
class _Member:
    drone: Drone
    last: Sample | None = None
    sent: int = 0
    last_milliseconds: int = 0


class Fleet:
    """``drones`` drones that each send ``rate`` messages a second, evenly spread over time."""

    def __init__(self, drones: int, rate: float, *, seed: int, kind: str, key_frame_gap: int, faults: Faults) -> None:
        self.drones = drones
        self.rate = rate
        self._kind = kind
        self._format = FORMATS[kind]
        self._gap = key_frame_gap
        self._faults = faults
        self._random = Random(f"{seed}/faults")
        self._members = [_Member(Drone(number, seed)) for number in range(drones)]
        self._held: dict[int, list[tuple[int, Outgoing]]] = {}
        self._turn = 0

    @property
    def turn(self) -> int:
        """How many turns have been taken: one message each, before faults."""
        return self._turn

    def due(self, turn: int) -> float:
        """Seconds from the start to a turn."""
        return turn / (self.drones * self.rate)

    def take_turn(self, epoch_seconds: float) -> Iterator[Outgoing]:
        """The events of the next turn, measured at this moment (seconds since the epoch): one, or with faults none or
        several."""
        number = self._turn % self.drones
        self._turn += 1
        member = self._members[number]
        if member.sent:
            member.drone.advance(1 / self.rate)
        # Two messages of a drone in one millisecond with equal content would be one message.
        member.last_milliseconds = max(int(epoch_seconds * 1000), member.last_milliseconds + 1)
        key_frame = member.sent % self._gap == 0
        sample = member.drone.sample()
        fields = message(
            self._format.device(number),
            member.last_milliseconds,
            changes(None if key_frame or self._format.whole else member.last, sample),
            key_frame,
        )
        member.last = sample
        member.sent += 1
        if not self._faults.any:
            yield Outgoing(number, self._format.encode(fields, member.sent - 1))
            return
        yield from self._with_faults(number, member.sent, fields)

    def rest(self) -> Iterator[Outgoing]:
        """What faults still hold back, at the end."""
        for number in sorted(self._held):
            for _, outgoing in self._held.pop(number):
                yield outgoing

    def _with_faults(self, number: int, count: int, fields: dict[str, object]) -> Iterator[Outgoing]:
        # One draw per fault and message, whatever the others did: a rate changes only its own fault's messages.
        draws = [self._random.random() for _ in range(6)]
        faults = self._faults
        if draws[0] < faults.no_fix:
            fields["position"] = {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0}
        if draws[1] < faults.unknown_mode:
            fields["flightMode"] = 6
        if draws[2] < faults.corrupt:
            outgoing = Outgoing(number, corrupted(fields, self._kind, count - 1, self._random), corrupted=True)
        else:
            outgoing = Outgoing(number, self._format.encode(fields, count - 1))
        held = self._held.setdefault(number, [])
        released = [entry for due, entry in held if due <= count]
        self._held[number] = [entry for entry in held if entry[0] > count]
        if draws[3] < faults.late:
            self._held[number].append((count + self._random.randint(5, 20), outgoing))
        elif draws[4] < faults.reorder:
            self._held[number].append((count + 1, outgoing))
        else:
            yield outgoing
        # A corrupted message is never doubled: each is one dead letter.
        if draws[5] < faults.duplicates and not outgoing.corrupted:
            yield Outgoing(number, outgoing.body, duplicated=True)
        yield from released
