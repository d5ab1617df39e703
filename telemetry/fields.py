"""The table of a message's fields: one row each, and everything that follows from a row.

``reading`` checks and normalises by it, ``merge`` keeps a register per merged row, ``view`` shows it, ``schema`` and
docs/messages.md describe it. A new scalar field is a row here and a key in ``model``.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any, Literal

from telemetry.vocabulary import FLIGHT_MODES, MessageErrorCode

Kind = Literal["number", "boolean", "special"]
"""``special``: ``reading`` has a reader of its own for it."""

POSITION, HEALTH = "position", "health"
LARGEST = sys.float_info.max
"""A number beyond a double's range is read as this, so no field allows it."""


@dataclass(frozen=True)
class Field:
    """One field: ``name`` inside ``group`` (None: at the top), its values, and what becomes of them."""

    name: str
    kind: Kind
    says: str  # one sentence for people
    group: str | None = None
    unit: str | None = None  # in words, for people
    low: float = -LARGEST
    high: float = LARGEST  # allowed itself, unless it is ``open``
    open: bool = False
    limits: tuple[str, str] | None = None  # the attributes of ``Rules`` that stand in the place of low and high
    code: MessageErrorCode | None = None  # of a value out of range
    merged: bool = True  # into the drone's state, and shown there
    schema: Any = None  # JSON Schema of a special field's value

    @property
    def path(self) -> str:
        """As in ``position.latitude``."""
        return self.name if self.group is None else f"{self.group}.{self.name}"

    def bounds(self, rules: object) -> tuple[float, float]:
        """The lowest and the highest value allowed, both inclusive."""
        if self.limits is not None:
            return getattr(rules, self.limits[0]), getattr(rules, self.limits[1])
        return self.low, math.nextafter(self.high, -math.inf) if self.open else self.high

    def range_text(self, rules: object) -> str:
        """What is allowed, as in ``must be from 0 to 1``."""
        low, _ = self.bounds(rules)
        high = getattr(rules, self.limits[1]) if self.limits is not None else self.high
        if high == LARGEST:
            return f"must be {low:g} or more, and finite"
        return f"must be from {low:g} to {'below ' if self.open else ''}{high:g}"


FIELDS = (
    Field("battery", "number", "Charge left.", unit="fraction of full charge", low=0, high=1,
          code="battery_out_of_range"),
    Field("flightMode", "special", "By name or number; numbers without a name are kept as `unknown`, and flagged.",
          schema={"anyOf": [{"type": "string", "enum": list(FLIGHT_MODES)}, {"type": "integer"}]},
          code="unknown_flight_mode"),
    Field("latitude", "number", "WGS 84.", POSITION, unit="degrees north", low=-90, high=90,
          code="latitude_out_of_range"),
    Field("longitude", "number", "WGS 84.", POSITION, unit="degrees east", low=-180, high=180,
          code="longitude_out_of_range"),
    Field("altitude", "number", "`ALTITUDE_RANGE_METRES` moves the range.", POSITION, unit="metres", low=-1000,
          high=20000, limits=("altitude_minimum", "altitude_maximum"), code="altitude_out_of_range"),
    Field("gyrometer", "boolean", "Whether it works.", HEALTH),
    Field("accelerometer", "boolean", "Whether it works.", HEALTH),
    Field("magnetometer", "boolean", "Whether it works.", HEALTH),
    Field("groundSpeed", "number", "Over ground.", unit="metres per second", low=0, open=True,
          code="ground_speed_out_of_range"),
    Field("heading", "number", "Clockwise from north.", unit="degrees", low=0, high=360, open=True,
          code="heading_out_of_range"),
)  # fmt: skip
"""In the order in which they are shown and kept."""

GROUPS = tuple(dict.fromkeys(field.group for field in FIELDS if field.group is not None))
TOP_LEVEL = tuple(dict.fromkeys(field.group or field.name for field in FIELDS))
"""The keys of a message that come from the table: groups and fields outside one."""


def of_group(group: str | None) -> tuple[Field, ...]:
    """The fields of a group; None: those at the top."""
    return tuple(field for field in FIELDS if field.group == group)
