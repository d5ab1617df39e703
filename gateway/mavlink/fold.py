"""All vehicles of all links: which packet is whose, and each interval's messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.mavlink.packets import Packet
from gateway.mavlink.vehicle import Said, Vehicle
from telemetry.mavlink import is_peripheral

ANY_SYSTEM = "*"
"""In place of a system id: the name of a recording's one vehicle; of further ones it is the beginning."""
_AUTOPILOT = 1
_FORGET_SECONDS = 600.0


class Fold:
    """``device_ids``: names by system id (``1``), or by system id at an address (``10.0.0.7/1``). Times are seconds
    since the epoch by the listener's clock, or a recording's."""

    def __init__(
        self,
        interval: float,
        device_ids: Mapping[str, str],
        *,
        retimed: Callable[[float], float] = lambda moment: moment,
        warn: Callable[[str], None] = lambda _: None,
        appeared: Callable[[str, int, int], None] = lambda *_: None,
    ) -> None:
        """``retimed``: the time a message gets for the moment it was measured. ``appeared`` is told source, system and
        component of a vehicle that is new or was booted anew."""
        self._interval = interval
        self._retimed = retimed
        self._device_ids = device_ids
        self._warn = warn
        self._appeared = appeared
        self._vehicles: dict[tuple[str, int], Vehicle] = {}
        self._ready: list[dict[str, Any]] = []
        self._done: dict[str, int] = {}
        self._again = False
        self._warned: set[str] = set()

    @property
    def vehicles(self) -> int:
        """Vehicles that have been heard lately."""
        return sum(vehicle.confirmed for vehicle in self._vehicles.values())

    @property
    def done(self) -> dict[str, int]:
        """By source and system: the last interval of which a message was made."""
        return self._done

    def hear_again(self, done: dict[str, int]) -> None:
        """What follows was heard by an earlier run, which had made messages of the intervals up to ``done``."""
        self._again = True
        self._done = dict(done)

    def heard_again(self) -> None:
        """What follows is new."""
        self._again = False

    def hear(self, source: str, packet: Packet, at: float) -> None:
        """A packet that came from this link or address."""
        if packet.kind == "RADIO_STATUS":
            self._radio(source, packet)
            return
        if is_peripheral(packet.component, packet.kind):
            return
        key = (source, packet.system)
        vehicle = self._vehicles.get(key)
        if vehicle is None:
            vehicle = self._vehicles[key] = Vehicle(
                self._name(source, packet.system), packet.component, self._interval, self._retimed
            )
        elif packet.component != vehicle.component and not self._takes_over(vehicle, packet):
            return
        rebooted, confirmed = vehicle.rebooted, vehicle.confirmed
        self._keep(key, vehicle.hear(packet, at))
        if packet.component == _AUTOPILOT and packet.kind != "HEARTBEAT":
            vehicle.confirmed = vehicle.confirmed or "HEARTBEAT" not in vehicle.kinds
        if vehicle.confirmed and not confirmed:
            self._check_twins(source, packet.system, vehicle, at)
        if vehicle.confirmed and (not confirmed or vehicle.rebooted != rebooted):
            self._appeared(source, packet.system, packet.component)

    def tick(self, at: float) -> None:
        """Close the intervals that are over by now, for vehicles that are silent."""
        for key, vehicle in self._vehicles.items():
            if vehicle.has_ended(at):
                self._keep(key, vehicle.say())

    def close(self) -> None:
        """Close all intervals that are open."""
        for key, vehicle in self._vehicles.items():
            self._keep(key, vehicle.say())

    def take(self) -> list[dict[str, Any]]:
        """The messages that are ready, each vehicle's in order."""
        ready, self._ready = self._ready, []
        return ready

    def forget(self, at: float) -> None:
        """Let go of vehicles that have not been heard for ten minutes."""
        for key in [k for k, v in self._vehicles.items() if at - v.last_heard > _FORGET_SECONDS]:
            del self._vehicles[key]
            self._done.pop(_name(key), None)

    def _keep(self, key: tuple[str, int], said: Said | None) -> None:
        if said is None or (self._again and said.window <= self._done.get(_name(key), said.window - 1)):
            return
        self._done[_name(key)] = said.window
        self._ready.append(said.message)

    def _takes_over(self, vehicle: Vehicle, packet: Packet) -> bool:
        """The autopilot speaks for its system; a battery's word is taken beside it."""
        if packet.kind == "BATTERY_STATUS":
            return True
        if packet.component == _AUTOPILOT or not vehicle.confirmed:
            vehicle.component = packet.component
            return True
        return False

    def _radio(self, source: str, packet: Packet) -> None:
        # A radio has a system id of its own: which vehicle it carries is certain only when there is but one.
        own = self._vehicles.get((source, packet.system))
        there = [own] if own else [v for (place, _), v in self._vehicles.items() if place == source and v.confirmed]
        if len(there) == 1:
            there[0].take_signal(packet.values)

    def _name(self, source: str, system: int) -> str:
        host = source.rpartition(":")[0]
        for name in (f"{source}/{system}", f"{host}/{system}", str(system)):
            if name in self._device_ids:
                return self._device_ids[name]
        if ANY_SYSTEM in self._device_ids:
            first = not self._vehicles
            return self._device_ids[ANY_SYSTEM] + ("" if first else f"-{system}")
        return f"mav-{system}"

    def _check_twins(self, source: str, system: int, vehicle: Vehicle, at: float) -> None:
        twins = [
            place
            for (place, _), v in self._vehicles.items()
            if v is not vehicle and v.device_id == vehicle.device_id and v.confirmed and at - v.last_heard < 10.0
        ]
        if twins and vehicle.device_id not in self._warned:
            self._warned.add(vehicle.device_id)
            self._warn(
                f"{vehicle.device_id} is heard from {twins[0]} and from {source}: if these are two vehicles, tell them "
                f"apart with --device-id {source}/{system}=NAME"
            )


def _name(key: tuple[str, int]) -> str:
    return f"{key[0]}/{key[1]}"
