from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import pytest
from pyproj import Geod

from telemetry.enrichment import enrich
from telemetry.model import Message
from telemetry.registry import Registry
from telemetry.zones import Zones
from tests.support.geojson import collection, feature, square
from tests.support.messages import RULES, validate

AT = "2026-03-01T12:00:00.500000Z"
REGISTRY = Registry.parse([{"id": "d", "home": {"latitude": 47.476075, "longitude": -122.192026}}, {"id": "homeless"}])
ZONES = Zones.parse(
    collection(
        feature(square(0, 0, 10, 10), id="fence", kind="geofence"),
        feature(square(4, 4, 6, 6), id="low-fence", kind="geofence", ceiling=50),
        feature(square(1, 1, 2, 2), id="airport"),
        feature(square(7, 7, 8, 8), id="tower", floor=100, ceiling=200),
    )
)


def message(latitude: float | None = None, longitude: float | None = None, **fields: Any) -> Message:
    position = {"latitude": latitude, "longitude": longitude, "altitude": fields.pop("altitude", None)}
    (made,) = validate({"deviceId": "d", "position": position, **fields}).messages
    return made


def enriched(
    *args: Any, registry: Registry | None = None, zones: Zones | None = ZONES, rules: Any = RULES, **fields: Any
) -> Message:
    (made,) = enrich([message(*args, **fields)], registry, zones, rules)
    return made


def alerts(made: Message) -> list[str]:
    assert all(alert["at"] == made["time"] for alert in made["alerts"])
    return [alert["code"] for alert in made["alerts"]]


def test_what_is_derived_of_a_position() -> None:
    made = enriched(5, 5, altitude=40, registry=REGISTRY)
    assert made["derived"] == {
        "zones": ["fence", "low-fence"],
        "noFly": False,
        "outsideGeofence": False,
        "distanceFromHome": pytest.approx(12_750_000, rel=0.2),
        "altitudeLimitExceeded": False,
    }
    assert alerts(made) == []


@pytest.mark.parametrize(
    ("latitude", "longitude", "altitude", "zones", "expected"),
    [
        (3, 3, 40, ["fence"], []),
        (1.5, 1.5, 40, ["airport", "fence"], ["no_fly_zone"]),
        (1.0, 1.5, 40, ["airport", "fence"], ["no_fly_zone"]),
        (20, 20, 40, [], ["outside_geofence"]),
        (3, 3, 120, ["fence"], []),
        (3, 3, 120.01, ["fence"], ["altitude_limit"]),
        (5, 5, 50, ["fence", "low-fence"], []),
        (5, 5, 50.01, ["fence", "low-fence"], ["altitude_limit"]),
        (7.5, 7.5, 99.9, ["fence"], []),
        (7.5, 7.5, 100, ["fence", "tower"], ["no_fly_zone"]),
        (7.5, 7.5, 200, ["fence", "tower"], ["no_fly_zone", "altitude_limit"]),
        (7.5, 7.5, 200.1, ["fence"], ["altitude_limit"]),
        (7.5, 7.5, None, ["fence", "tower"], ["no_fly_zone"]),
    ],
)
def test_zones_and_their_alerts(
    latitude: float, longitude: float, altitude: float | None, zones: list[str], expected: list[str]
) -> None:
    made = enriched(latitude, longitude, altitude=altitude)
    assert made["derived"]["zones"] == zones
    assert alerts(made) == expected
    assert ("altitudeLimitExceeded" in made["derived"]) == (altitude is not None)
    assert "distanceFromHome" not in made["derived"]


def test_a_ceiling_takes_the_place_of_the_general_limit() -> None:
    zones = Zones.parse(collection(feature(square(0, 0, 9, 9), kind="geofence", ceiling=500)))
    assert enriched(5, 5, altitude=400, zones=zones)["derived"]["altitudeLimitExceeded"] is False
    assert enriched(5, 5, altitude=501, zones=zones)["derived"]["altitudeLimitExceeded"] is True
    assert enriched(50, 50, altitude=400, zones=zones)["derived"]["altitudeLimitExceeded"] is True


def test_of_two_ceilings_the_lower_one_counts() -> None:
    fences = [feature(square(0, 0, 9, 9), id=f"f{c}", kind="geofence", ceiling=c) for c in (300, 200, 400)]
    assert enriched(5, 5, altitude=201, zones=Zones.parse(collection(*fences)))["derived"]["altitudeLimitExceeded"]


def test_below_a_floor_a_geofence_does_not_hold() -> None:
    zones = Zones.parse(collection(feature(square(0, 0, 9, 9), kind="geofence", floor=50)))
    assert enriched(5, 5, altitude=49, zones=zones)["derived"]["outsideGeofence"] is True
    assert enriched(5, 5, altitude=50, zones=zones)["derived"]["outsideGeofence"] is False


@pytest.mark.parametrize("zones", [None, Zones.parse(collection()), Zones.parse(collection(feature()))])
def test_without_a_geofence_nothing_is_outside(zones: Zones | None) -> None:
    assert enriched(50, 50, zones=zones)["derived"] == {"zones": [], "noFly": False, "outsideGeofence": False}


@pytest.mark.parametrize("position", [(None, None), (5, None), (None, 5)])
def test_without_latitude_and_longitude_nothing_is_derived(position: tuple[float | None, float | None]) -> None:
    made = enriched(*position, altitude=9000, registry=REGISTRY)
    assert "derived" not in made
    assert made["alerts"] == []


def test_the_distance_is_geodesic() -> None:
    made = enriched(47.5, -122.2, registry=REGISTRY)
    _, _, expected = Geod(ellps="WGS84").inv(-122.192026, 47.476075, -122.2, 47.5)
    assert made["derived"]["distanceFromHome"] == pytest.approx(expected, abs=0.001)
    # One degree of latitude is about 111.2 km there, of longitude about 75 km: no confusion of the two.
    rough = math.hypot((47.5 - 47.476075) * 111_180, (122.2 - 122.192026) * 75_200)
    assert made["derived"]["distanceFromHome"] == pytest.approx(rough, rel=0.001)
    assert enriched(47.476075, -122.192026, registry=REGISTRY)["derived"]["distanceFromHome"] == 0


def test_no_home_no_distance() -> None:
    assert "distanceFromHome" not in enriched(1, 1, deviceId="homeless", registry=REGISTRY)["derived"]
    assert "distanceFromHome" not in enriched(1, 1, deviceId="stranger", registry=REGISTRY)["derived"]


def test_a_stranger_is_flagged_only_where_there_is_a_registry() -> None:
    assert enriched(deviceId="stranger", registry=REGISTRY)["flags"] == ["unregistered_device"]
    assert enriched(deviceId="stranger", registry=None)["flags"] == []
    assert enriched(registry=REGISTRY)["flags"] == []
    assert enriched(deviceId="stranger", flightMode=6, registry=Registry.parse([]))["flags"] == [
        "unknown_flight_mode_number",
        "unregistered_device",
    ]


def test_low_battery_and_unhealthy_sensors() -> None:
    assert alerts(enriched(battery=0.2)) == []
    assert alerts(enriched(battery=0.19)) == ["low_battery"]
    assert alerts(enriched(battery=0.0)) == ["low_battery"]
    assert alerts(enriched(health={"gyrometer": True})) == []
    assert alerts(enriched(health={"gyrometer": True, "magnetometer": False})) == ["sensor_unhealthy"]
    assert alerts(enriched(battery=0.5, rules=replace(RULES, low_battery=0.6))) == ["low_battery"]
    assert alerts(enriched(3, 3, altitude=60, rules=replace(RULES, altitude_limit=59))) == ["altitude_limit"]


def test_again_changes_nothing_and_a_new_registry_replaces_the_old_ones_findings() -> None:
    batch = [message(1.5, 1.5, altitude=130, battery=0.1), message(deviceId="stranger"), message(3, 3)]
    enrich(batch, REGISTRY, ZONES, RULES)
    once = copy.deepcopy(batch)
    assert enrich(batch, REGISTRY, ZONES, RULES) == once
    enrich(batch, Registry.parse([{"id": "stranger"}]), ZONES, RULES)
    assert [made["flags"] for made in batch] == [["unregistered_device"], [], ["unregistered_device"]]
    assert "distanceFromHome" not in batch[0]["derived"]


def test_each_of_many_gets_its_own() -> None:
    batch = [message(index % 12, index % 11, altitude=index) for index in range(1, 300)]
    alone = [enrich([copy.deepcopy(made)], REGISTRY, ZONES, RULES)[0] for made in batch]
    assert list(enrich(batch, REGISTRY, ZONES, RULES)) == alone


def test_an_empty_batch() -> None:
    assert list(enrich([], REGISTRY, ZONES, RULES)) == []


def placed(home: dict[str, Any] | None = None, rules: Any = RULES, **position: Any) -> Message:
    registered = Registry.parse([{"id": "d", "home": {"latitude": 5, "longitude": 5, **home}}]) if home else None
    body = {"deviceId": "d", "position": {"latitude": 20, "longitude": 20, **position}}
    (made,) = enrich(validate(body).messages, registered, None, rules)
    return made


MSL = replace(RULES, altitude_reference="msl")


@pytest.mark.parametrize(
    ("home", "rules", "position", "exceeded"),
    [
        (None, RULES, {"altitude": 121}, True),
        (None, RULES, {"altitude": 120}, False),
        (None, RULES, {"altitude": 488, "altitudeReference": "msl"}, None),
        (None, RULES, {"altitude": 488, "altitudeReference": "wgs84"}, None),
        (None, MSL, {"altitude": 488}, None),
        (None, MSL, {"altitude": 488, "altitudeReference": "takeoff"}, True),
        (None, MSL, {"altitude": 488, "height": 130}, True),
        (None, RULES, {"altitude": 488, "altitudeReference": "msl", "height": 3}, False),
        (None, RULES, {"height": 130}, True),
        (None, RULES, {"altitude": 5, "height": 130}, True),
        ({"altitude": 400}, RULES, {"altitude": 488, "altitudeReference": "msl"}, False),
        ({"altitude": 300}, RULES, {"altitude": 488, "altitudeReference": "msl"}, True),
        ({"altitude": 300}, MSL, {"altitude": 488}, True),
        ({"altitude": 300}, RULES, {"altitude": 488, "altitudeReference": "wgs84"}, None),
        (
            {"altitude": 300, "altitudeReference": "wgs84"},
            RULES,
            {"altitude": 488, "altitudeReference": "wgs84"},
            True,
        ),
        ({"altitude": 300, "altitudeReference": "wgs84"}, MSL, {"altitude": 488}, None),
        ({}, MSL, {"altitude": 488}, None),
    ],
)
def test_the_limit_is_judged_by_what_is_known_of_the_height(
    home: Any, rules: Any, position: dict[str, Any], exceeded: bool | None
) -> None:
    made = placed(home, rules, **position)
    assert made["derived"]["altitudeLimitExceeded"] is exceeded
    assert alerts(made) == (["altitude_limit"] if exceeded else [])


def test_a_position_without_any_height_says_nothing_of_the_limit() -> None:
    assert "altitudeLimitExceeded" not in placed()["derived"]


@pytest.mark.parametrize("terrain", [0, 488, 1600])
def test_one_flight_gives_the_same_alerts_whatever_the_terrain_lies_at(terrain: int) -> None:
    flight: list[dict[str, Any]] = [
        {"height": height, "altitude": terrain + height, "altitudeReference": "msl"} for height in (0, 60, 119, 125, 5)
    ]
    assert [alerts(placed(**position)) for position in flight] == [[], [], [], ["altitude_limit"], []]


def test_a_drone_of_unknown_height_is_in_the_zone_and_one_of_known_height_where_it_is() -> None:
    def codes(**position: Any) -> list[str]:
        body = {"deviceId": "d", "position": {"latitude": 7.5, "longitude": 7.5, **position}}
        (made,) = enrich(validate(body).messages, None, ZONES, RULES)
        return made["derived"]["zones"]

    assert codes(altitude=488, altitudeReference="msl") == ["fence", "tower"]
    assert codes(altitude=488, altitudeReference="msl", height=50) == ["fence"]
    assert codes(height=150) == ["fence", "tower"]
