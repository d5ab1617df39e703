from __future__ import annotations

import json
from typing import Any

import pytest

from telemetry.zones import InvalidZones, Zone, Zones
from tests.support.geojson import collection, feature, square


def test_zones_are_read_with_their_properties() -> None:
    document = collection(
        feature(id="a", name="Airport", floor=10, ceiling=500.5),
        feature(square(2, 2, 3, 3), id="b", kind="geofence", name="Base"),
    )
    for form in (document, json.dumps(document), json.dumps(document).encode()):
        assert Zones.parse(form).zones == (
            Zone("a", "Airport", "no_fly", 10, 500.5),
            Zone("b", "Base", "geofence", None, None),
        )


def test_an_id_may_stand_on_the_feature_and_a_name_be_missing() -> None:
    entry = feature()
    del entry["properties"]["id"], entry["properties"]["name"]
    entry["id"] = "z9"
    (zone,) = Zones.parse(collection(entry)).zones
    assert (zone.id, zone.name) == ("z9", "z9")


def test_points_inside_on_the_border_in_a_hole_and_outside() -> None:
    with_hole = square(0, 0, 10, 10)
    with_hole["coordinates"].append([[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]])
    several = {"type": "MultiPolygon", "coordinates": [square(20, 0, 21, 1)["coordinates"], with_hole["coordinates"]]}
    zones = Zones.parse(collection(feature(several, id="a"), feature(square(0, 0, 2, 2), id="b")))
    longitudes = [1.0, 0.0, 5.0, 20.5, 50.0, 3.0]
    latitudes = [1.0, 5.0, 5.0, 0.5, 50.0, 3.0]
    assert sorted(zones.containing(longitudes, latitudes)) == [(0, 0), (0, 1), (1, 0), (3, 0), (5, 0)]


@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon"])
def test_what_a_position_says_besides_the_place_is_left_out(kind: str) -> None:
    ring = [[0, 0], [1, 0, 120], [1, 1, 120, 7], [0, 1], [0, 0, 3]]
    zones = Zones.parse(collection(feature({"type": kind, "coordinates": [ring] if kind == "Polygon" else [[ring]]})))
    assert zones.containing([0.5, 2.0], [0.5, 0.5]) == [(0, 0)]


def test_no_zones_at_all() -> None:
    assert Zones.parse(collection()).containing([1.0], [1.0]) == []


BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b"{", "not JSON"),
        (
            collection(feature({"type": "Polygon", "coordinates": [[[10**400, 0], [1, 0], [1, 1], [10**400, 0]]]})),
            r"features\[0\].*a position must be",
        ),
        (collection(feature(floor=10**400)), r"features\[0\].*floor: must be a number of metres"),
        ([], "FeatureCollection"),
        ({"type": "Feature"}, "FeatureCollection"),
        ({"type": "FeatureCollection"}, "features"),
        (collection(5), r"features\[0\]"),
        (collection(feature(), {"type": "Polygon"}), r"features\[1\]"),
        (collection({"type": "Feature", "geometry": square(0, 0, 1, 1)}), r"features\[0\]\.properties"),
        (collection(feature(id=None)), r"features\[0\]\.properties\.id"),
        (collection(feature(id=7)), r"features\[0\]\.properties\.id"),
        (collection(feature(), feature()), r"features\[1\]\.properties\.id.*twice"),
        (collection(feature(kind="nofly")), r"features\[0\] \(z\)\.properties\.kind.*'nofly'"),
        (collection(feature(kind=None)), r"features\[0\] \(z\)\.properties\.kind"),
        (collection(feature(name=5)), r"features\[0\] \(z\)\.properties\.name"),
        (collection(feature(floor="10")), r"features\[0\] \(z\)\.properties\.floor"),
        (collection(feature(ceiling=True)), r"features\[0\] \(z\)\.properties\.ceiling"),
        (collection(feature(floor=20, ceiling=10)), r"features\[0\] \(z\)\.properties\.floor"),
        (collection(feature({"type": "Point", "coordinates": [0, 0]})), r"features\[0\] \(z\)\.geometry"),
        (collection(feature({"type": "Polygon"})), r"features\[0\] \(z\)\.geometry\.coordinates"),
        (collection(feature({"type": "Polygon", "coordinates": []})), r"features\[0\] \(z\)\.geometry\.coordinates"),
        (collection(feature({"type": "Polygon", "coordinates": "x"})), r"features\[0\] \(z\)\.geometry\.coordinates"),
        (collection(feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})), r"geometry\.coordinates"),
        (collection(feature({"type": "Polygon", "coordinates": [[[0], [1], [2], [0]]]})), r"geometry\.coordinates"),
        (collection(feature({"type": "Polygon", "coordinates": [[["a", 0]] * 4]})), r"geometry\.coordinates"),
        (collection(feature({"type": "Polygon", "coordinates": [[None] * 4]})), r"geometry\.coordinates"),
        (collection(feature(square(47, -122, 48, -121))), r"longitude comes first"),
        (collection(feature(BOW_TIE)), r"Self-intersection"),
    ],
)
def test_an_error_names_feature_and_field(document: Any, named: str) -> None:
    with pytest.raises(InvalidZones, match=named):
        Zones.parse(document)


OVER_THE_LINE = [[179.8, -18], [-179.8, -18], [-179.8, -17], [179.8, -17], [179.8, -18]]


def ring(*coordinates: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(coordinates)}


def holds(geometry: dict[str, Any], *longitudes: float, latitude: float = -17.5) -> list[bool]:
    zones = Zones.parse(collection(feature(geometry)))
    found = {point for point, _ in zones.containing(list(longitudes), [latitude] * len(longitudes))}
    return [point in found for point in range(len(longitudes))]


@pytest.mark.parametrize("coordinates", [OVER_THE_LINE, OVER_THE_LINE[::-1], OVER_THE_LINE[1:] + OVER_THE_LINE[1:2]])
def test_a_zone_over_the_antimeridian_is_what_its_author_meant(coordinates: Any) -> None:
    assert holds(ring(coordinates), 179.95, -179.95, 180, -180, 10, 0, 179.7, -179.7) == [True] * 4 + [False] * 4


def test_a_hole_in_it_stays_a_hole() -> None:
    hole = [[179.9, -17.8], [-179.9, -17.8], [-179.9, -17.2], [179.9, -17.2], [179.9, -17.8]]
    west_only = [[-179.9, -17.8], [-179.85, -17.8], [-179.85, -17.2], [-179.9, -17.2], [-179.9, -17.8]]
    assert holds(ring(OVER_THE_LINE, hole), 179.95, -179.95, 179.85, -179.85) == [False, False, True, True]
    assert holds(ring(OVER_THE_LINE, west_only), 179.95, -179.95, -179.87) == [True, True, False]


def test_one_polygon_of_several_may_cross_it() -> None:
    several = {"type": "MultiPolygon", "coordinates": [[OVER_THE_LINE], square(5, -18, 6, -17)["coordinates"]]}
    assert holds(several, 179.95, -179.95, 5.5, 100) == [True, True, True, False]


def test_a_belt_that_is_written_from_end_to_end_is_one() -> None:
    assert holds(square(-180, -18, 180, -17), 179.95, 0, -100) == [True, True, True]
    assert holds(square(-90, -18, 89, -17), 0, 179.95) == [True, False]
