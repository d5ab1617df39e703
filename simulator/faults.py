"""Faults on demand: what networks and devices do to telemetry, at the rates asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from random import Random
from typing import Any

from simulator.formats import FORMATS


class InvalidFaults(ValueError):
    """The list of faults cannot be read; the text says which part."""


@dataclass(frozen=True)
class Faults:
    """Chance per message, 0 to 1.

    ``duplicates``: the same body is sent once more. ``reorder``: it comes after the drone's next message. ``late``: it
    comes 5 to 20 messages later. ``corrupt``: it is damaged so that it is certain to be rejected. ``no_fix``: its
    position is 0,0. ``unknown_mode``: its flight mode is the number 6, as real devices send it.
    """

    duplicates: float = 0.0
    reorder: float = 0.0
    late: float = 0.0
    corrupt: float = 0.0
    no_fix: float = 0.0
    unknown_mode: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Faults:
        """From ``duplicates=0.01,reorder=0.05``. Raises InvalidFaults."""
        known = [field.name for field in fields(cls)]
        chances: dict[str, float] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, value = part.partition("=")
            if name not in known:
                raise InvalidFaults(f"{name!r} is no fault; there are {', '.join(known)}")
            if name in chances:
                raise InvalidFaults(f"{name} is given twice")
            try:
                chances[name] = float(value)
            except ValueError:
                raise InvalidFaults(f"{name} needs a chance from 0 to 1, as in {name}=0.01; not {value!r}") from None
            if not 0 <= chances[name] <= 1:
                raise InvalidFaults(f"{name} must be from 0 to 1, not {value}")
        return cls(**chances)

    @property
    def any(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def _number_out_of_range(message: dict[str, Any], random: Random) -> None:
    message["battery"] = round(random.uniform(1.5, 90.0), 2)


def _latitude_out_of_range(message: dict[str, Any], random: Random) -> None:
    message["position"] = {"latitude": 95.5, "longitude": -122.192026, "altitude": 10.0}


def _no_device(message: dict[str, Any], random: Random) -> None:
    del message["deviceId"]


def _bad_device(message: dict[str, Any], random: Random) -> None:
    message["deviceId"] = message["deviceId"] + " !"


def _number_as_text(message: dict[str, Any], random: Random) -> None:
    message["battery"] = "full"


def _bad_time(message: dict[str, Any], random: Random) -> None:
    message["timestamp"] = "half past nine"


def _bad_mode(message: dict[str, Any], random: Random) -> None:
    message["flightMode"] = "hovering"


_ANY_FORMAT: list[Callable[[dict[str, Any], Random], None]] = [
    _number_out_of_range,
    _latitude_out_of_range,
    _no_device,
    _bad_device,
]
_NATIVE = [*_ANY_FORMAT, _number_as_text, _bad_time, _bad_mode]


def corrupted(message: dict[str, Any], kind: str, number: int, random: Random) -> bytes:
    """The body of a drone's message ``number`` in this format, damaged: nothing of it can be accepted under any
    settings."""
    encode = FORMATS[kind].encode
    # Other people's formats do not say everything in every message: what is cut off is certain to be bad.
    damages = _NATIVE if kind in ("json", "native") else _ANY_FORMAT if kind == "protobuf" else []
    choice = random.randrange(len(damages) + 1)
    if choice < len(damages):
        spoiled = dict(message)
        damages[choice](spoiled, random)
        return encode(spoiled, number)
    body = encode(message, number)
    # Cut off where no shorter message ends: before the closing brace, or within a number behind its tag.
    return body + b"\x11" + bytes(random.randrange(8)) if kind == "protobuf" else body[: random.randrange(1, len(body))]
