"""The table of a message's fields: one row each, and everything that follows from a row.

``reading`` checks and normalises by it, ``merge`` keeps a register per merged row, ``view`` shows it, ``schema`` and
docs/messages.md describe it. A new scalar field is a row here and a key in ``model``.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any, Literal

from telemetry.vocabulary import ALTITUDE_REFERENCES, FLIGHT_MODES, MessageErrorCode

Kind = Literal["number", "boolean", "text", "choice", "special"]
"""``special``: ``reading`` has a reader of its own for it."""

POSITION, HEALTH = "position", "health"
FINITE = math.nextafter(sys.float_info.max, 0)
"""A number beyond a double's range is read as the largest double, which is above this: so no field allows it."""


UNITS = {"fraction": "fraction of the whole", "deg": "degrees", "m": "metres", "mps": "metres per second"}
"""A unit as columns of a table are named with it, and in words."""


@dataclass(frozen=True)
class Field:
    """One field: ``name`` inside ``group`` (None: at the top), its values, and what becomes of them."""

    name: str
    kind: Kind
    says: str  # one sentence for people
    group: str | None = None
    unit: str | None = None  # a key of ``UNITS``
    low: float = -FINITE
    high: float = FINITE
    turns: bool = False  # degrees of a circle: kept as 0 to below 360
    longest: int = 0  # of a text, in characters
    choices: tuple[str, ...] = ()
    limits: tuple[str, str] | None = None  # the attributes of ``Rules`` that stand in the place of low and high
    code: MessageErrorCode | None = None  # of a value out of range
    merged: bool = True  # into the drone's state, and shown there
    schema: Any = None  # JSON Schema of a special field's value
    example: Any = None

    @property
    def path(self) -> str:
        """As in ``position.latitude``."""
        return self.name if self.group is None else f"{self.group}.{self.name}"

    def bounds(self, rules: object) -> tuple[float, float]:
        """The lowest and the highest value allowed, both inclusive."""
        if self.limits is not None:
            return getattr(rules, self.limits[0]), getattr(rules, self.limits[1])
        return self.low, self.high

    def range_text(self, rules: object) -> str:
        """What is allowed, in words, as in ``must be from 0 to 1``."""
        if self.choices:
            return f"must be one of {', '.join(self.choices)}"
        if self.longest:
            return f"must have at most {self.longest} characters"
        low, high = self.bounds(rules)
        return f"must be from {low:g} to {high:g}" if high < FINITE else f"must be {low:g} or more, and finite"


FIELDS = (
    Field("battery", "number", "Charge left.", unit="fraction", low=0, high=1, code="battery_out_of_range",
          example=0.75),
    Field("flightMode", "special", "By name or number; numbers without a name are kept as `unknown`, and flagged.",
          schema={"anyOf": [{"type": "string", "enum": list(FLIGHT_MODES)}, {"type": "integer"}]},
          code="unknown_flight_mode", example="inflight"),
    Field("latitude", "number", "WGS 84, north positive.", POSITION, unit="deg", low=-90, high=90,
          code="latitude_out_of_range", example=47.476075),
    Field("longitude", "number", "WGS 84, east positive.", POSITION, unit="deg", low=-180, high=180,
          code="longitude_out_of_range", example=-122.192026),
    Field("altitude", "number", "Above what `altitudeReference` says. `ALTITUDE_RANGE_METRES` moves the range.",
          POSITION, unit="m", low=-1000, high=20000, limits=("altitude_minimum", "altitude_maximum"),
          code="altitude_out_of_range", example=568.5),
    Field("height", "number", "Above the take-off point. `ALTITUDE_RANGE_METRES` moves the range.",
          POSITION, unit="m", low=-1000, high=20000, limits=("altitude_minimum", "altitude_maximum"),
          code="height_out_of_range", example=80.5),
    Field("altitudeReference", "choice", "Mean sea level, the WGS 84 ellipsoid or the take-off point; unsaid it is "
          "`ALTITUDE_REFERENCE`.", POSITION, choices=ALTITUDE_REFERENCES, code="unknown_altitude_reference",
          example="msl"),
    Field("gyrometer", "boolean", "Whether it works.", HEALTH, example=True),
    Field("accelerometer", "boolean", "Whether it works.", HEALTH, example=True),
    Field("magnetometer", "boolean", "Whether it works.", HEALTH, example=False),
    Field("groundSpeed", "number", "Over ground.", unit="mps", low=0, code="ground_speed_out_of_range", example=12.5),
    Field("heading", "number", "Clockwise from north; kept as 0 to below 360.", unit="deg", low=-180, high=360,
          turns=True, code="heading_out_of_range", example=271),
    Field("verticalSpeed", "number", "Up positive.", unit="mps", low=-200, high=200,
          code="vertical_speed_out_of_range", example=-0.5),
    Field("signal", "number", "Quality of the link.", unit="fraction", low=0, high=1, code="signal_out_of_range",
          example=0.8),
    Field("mission", "text", "What it flies for.", longest=64, code="mission_too_long", example="survey-12"),
)  # fmt: skip
"""In the order in which they are shown and kept."""

GROUPS = tuple(dict.fromkeys(field.group for field in FIELDS if field.group is not None))
TOP_LEVEL = tuple(dict.fromkeys(field.group or field.name for field in FIELDS))
"""The keys of a message that come from the table: groups and fields outside one."""


def of_group(group: str | None) -> tuple[Field, ...]:
    """The fields of a group; None: those at the top."""
    return tuple(field for field in FIELDS if field.group == group)
