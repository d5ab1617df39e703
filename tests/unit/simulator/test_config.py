"""The demo's registry and zones fit the fleet of the simulator."""

from __future__ import annotations

from pathlib import Path

import simulator
from simulator.drone import CENTRE, home_of
from telemetry.registry import Registry
from telemetry.vocabulary import GEOFENCE, NO_FLY
from telemetry.zones import Zones

CONFIG = Path(simulator.__file__).parent


def test_the_default_fleet_is_registered_with_its_homes() -> None:
    registry = Registry.parse((CONFIG / "drones.json").read_bytes())
    assert list(registry.drones) == [f"drone-{number}" for number in range(50)]
    for number in range(50):
        registration = registry.drones[f"drone-{number}"]
        home = registration["home"]
        assert (home["latitude"], home["longitude"]) == home_of(number)
        assert registration["name"]
        assert registration["model"]
        assert registration["owner"]


def test_the_zones_are_of_both_kinds_and_no_pad_is_in_a_forbidden_one() -> None:
    zones = Zones.parse((CONFIG / "zones.geojson").read_bytes())
    assert {zone.kind for zone in zones.zones} == {NO_FLY, GEOFENCE}
    assert any(zone.ceiling is not None for zone in zones.zones)
    homes = [CENTRE, *(home_of(number) for number in range(50))]
    found = zones.containing([home[1] for home in homes], [home[0] for home in homes])
    kinds = [{zones.zones[zone].kind for point, zone in found if point == number} for number in range(len(homes))]
    assert kinds == [{GEOFENCE}] * len(homes)
