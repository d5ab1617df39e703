"""How one drone flies: it charges, takes off, visits way points, comes home and lands; sensors fail now and then."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from random import Random
from typing import Any

from telemetry.vocabulary import SENSORS

CENTRE = (47.476075, -122.192026)
"""Latitude and longitude, degrees: where the reference's drones start."""

Sample = dict[str, Any]
"""What a drone measures, as in a JSON message: battery, flightMode (name), position, health, groundSpeed, heading."""


_METRES_PER_DEGREE = 111_320.0
_LONGEST_STEP = 1.0
_BASES = ((0.0, 0.0), (-750.0, 520.0), (640.0, 780.0), (350.0, -830.0))
_PADS_PER_ROW = 8
_PAD_SPACING = 12.0


class Mode(IntEnum):
    """The reference's numbers."""

    READY = 1
    TAKEOFF = 2
    INFLIGHT = 3
    LANDING = 4


def home_of(number: int) -> tuple[float, float]:
    """Latitude and longitude of the pad of drone ``number``: pads in rows, at four bases."""
    east, north = _pad(number)
    return _degrees(east, north)


def _pad(number: int) -> tuple[float, float]:
    east, north = _BASES[number % len(_BASES)]
    row, column = divmod(number // len(_BASES), _PADS_PER_ROW)
    return east + column * _PAD_SPACING, north + row * _PAD_SPACING


def _degrees(east: float, north: float) -> tuple[float, float]:
    """Metres from the centre on the tangent plane: exact enough for a few kilometres."""
    latitude = CENTRE[0] + north / _METRES_PER_DEGREE
    longitude = CENTRE[1] + east / (_METRES_PER_DEGREE * math.cos(math.radians(CENTRE[0])))
    return round(latitude, 7), round(longitude, 7)


@dataclass
class Drone:
    """One drone, the same for the same seed and number. Metres, seconds, metres per second; heading in degrees."""

    number: int
    seed: int
    mode: Mode = Mode.READY
    altitude: float = 0.0
    speed: float = 0.0
    health: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SENSORS, True))

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/{self.number}")
        self._east, self._north = self._home = _pad(self.number)
        self.battery = self._random.uniform(0.55, 1.0)
        self.heading = self._random.uniform(0, 359.9)
        self._cruise_speed = self._random.uniform(8.0, 15.0)
        self._drain = self._random.uniform(0.0006, 0.0016)
        self._wait = self._random.uniform(0.0, 20.0)
        self._route: list[tuple[float, float, float]] = []
        self._broken_for: dict[str, float] = {}

    @property
    def device_id(self) -> str:
        return f"drone-{self.number}"

    def advance(self, seconds: float) -> None:
        """Fly on for so long."""
        while seconds > 0:
            step = min(seconds, _LONGEST_STEP)
            seconds -= step
            self._sensors(step)
            if self.mode is Mode.READY:
                self._charge(step)
            elif self.mode is Mode.TAKEOFF:
                self._climb(step)
            elif self.mode is Mode.INFLIGHT:
                self._fly(step)
            else:
                self._land(step)

    def sample(self) -> Sample:
        """What the drone measures now, in the precision of its instruments."""
        latitude, longitude = _degrees(self._east, self._north)
        return {
            "battery": round(self.battery, 4),
            "flightMode": self.mode.name.lower(),
            "position": {"latitude": latitude, "longitude": longitude, "altitude": round(self.altitude, 2)},
            "health": dict(self.health),
            "groundSpeed": round(self.speed, 2),
            "heading": round(self.heading, 1) % 360,
        }

    def _charge(self, step: float) -> None:
        self.battery = min(1.0, self.battery + 0.006 * step)
        self._wait -= step
        if self._wait <= 0 and self.battery >= 0.6:
            self.mode = Mode.TAKEOFF
            self._route = self._new_route()

    def _new_route(self) -> list[tuple[float, float, float]]:
        """Way points (east, north, altitude) around the centre, then home; a few of them too high, or too far."""
        points = []
        for _ in range(self._random.randint(2, 5)):
            reach = 3400.0 if self._random.random() < 0.04 else 2300.0
            distance, bearing = reach * math.sqrt(self._random.random()), self._random.uniform(0, 2 * math.pi)
            altitude = self._random.uniform(125, 145) if self._random.random() < 0.03 else self._random.uniform(40, 110)
            points.append((distance * math.sin(bearing), distance * math.cos(bearing), altitude))
        return [*points, (*self._home, self._random.uniform(40, 80))]

    def _climb(self, step: float) -> None:
        self._use(1.5 * step)
        self.altitude += 3.0 * step
        if self.altitude >= min(self._route[0][2], 40.0):
            self.mode = Mode.INFLIGHT

    def _fly(self, step: float) -> None:
        self._use(step)
        if self.battery < 0.3 and len(self._route) > 1:
            self._route = self._route[-1:]
        east, north, altitude = self._route[0]
        ahead_east, ahead_north = east - self._east, north - self._north
        distance = math.hypot(ahead_east, ahead_north)
        self.speed = min(self._cruise_speed, self.speed + 2.0 * step, max(distance / 2, 1.0))
        travelled = self.speed * step
        self.altitude += max(-2.0 * step, min(3.0 * step, altitude - self.altitude))
        if travelled >= distance:
            self._east, self._north = east, north
            self._route.pop(0)
            if not self._route:
                self.mode, self.speed = Mode.LANDING, 0.0
            return
        self.heading = math.degrees(math.atan2(ahead_east, ahead_north)) % 360
        self._east += travelled * ahead_east / distance
        self._north += travelled * ahead_north / distance

    def _land(self, step: float) -> None:
        self._use(0.8 * step)
        self.altitude -= 2.0 * step
        if self.altitude <= 0:
            self.altitude = 0.0
            self.mode = Mode.READY
            self._wait = self._random.uniform(10.0, 60.0)

    def _use(self, seconds: float) -> None:
        self.battery = max(0.02, self.battery - self._drain * seconds)

    def _sensors(self, step: float) -> None:
        """Every twenty minutes or so a sensor fails, for some seconds up to two minutes."""
        for name, rest in list(self._broken_for.items()):
            if rest > step:
                self._broken_for[name] = rest - step
            else:
                del self._broken_for[name]
                self.health[name] = True
        if self._random.random() < step / 1200:
            name = self._random.choice(SENSORS)
            self._broken_for[name] = self._random.uniform(5.0, 120.0)
            self.health[name] = False
