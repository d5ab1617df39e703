"""The flights that alerts belong to, looked up when they are shown: late messages join and split flights."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.many import for_each
from pipeline.ports import FlightStore
from telemetry.episodes import Episode
from telemetry.flights import Flight

AT_ONCE = 8


async def flight_ids(flights: FlightStore, episodes: Sequence[Episode]) -> dict[str, str]:
    """Ids of the flights, by the id of the alert; those outside of any flight are absent. One query a drone."""
    by_drone: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_drone.setdefault(episode["deviceId"], []).append(episode)
    found: dict[str, str] = {}

    async def of_drone(device_id: str) -> None:
        times = [episode["raisedAt"] for episode in by_drone[device_id]]
        flown = await flights.between(device_id, min(times), max(times))
        for episode in by_drone[device_id]:
            flight = _at(flown, episode["raisedAt"])
            if flight is not None:
                found[episode["id"]] = flight["id"]

    await for_each(by_drone, AT_ONCE, of_drone)
    return found


def _at(flown: Sequence[Flight], time: str) -> Flight | None:
    return next((flight for flight in flown if flight["startedAt"] <= time <= flight["lastAt"]), None)
