"""What a flight is, and how often flights are brought up to date."""

from __future__ import annotations

import re
from dataclasses import dataclass

from settings.reader import Reader
from telemetry.flights import FlightRules


@dataclass(frozen=True)
class Flights:
    rules: FlightRules
    schedule: str
    run_seconds: float
    """For so long one run of the timer works off what has arrived, where there is so much: most of the time to the
    next."""


def read_flights(read: Reader) -> Flights:
    schedule = read.schedule("FLIGHTS_SCHEDULE", "*/10 * * * * *")
    return Flights(
        rules=FlightRules(gap_seconds=read.seconds("FLIGHT_GAP_SECONDS", 300)),
        schedule=schedule,
        run_seconds=_run_seconds(schedule),
    )


def _run_seconds(schedule: str) -> float:
    """Four fifths of the time to the next run, as far as the field of the seconds tells it."""
    field = schedule.split()[0]
    step = re.fullmatch(r"(?:\*|0)/(\d+)", field)
    between = 60 if field.isdecimal() else int(step[1]) if step else 10
    return 0.8 * max(10, min(between, 60))
