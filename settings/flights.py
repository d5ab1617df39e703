"""What a flight is, and how often flights are brought up to date."""

from __future__ import annotations

from dataclasses import dataclass

from settings.reader import Reader
from telemetry.flights import FlightRules


@dataclass(frozen=True)
class Flights:
    rules: FlightRules
    schedule: str


def read_flights(read: Reader) -> Flights:
    return Flights(
        rules=FlightRules(gap_seconds=read.seconds("FLIGHT_GAP_SECONDS", 300)),
        schedule=read.schedule("FLIGHTS_SCHEDULE", "*/10 * * * * *"),
    )
