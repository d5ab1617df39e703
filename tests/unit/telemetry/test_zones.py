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


def test_no_zones_at_all() -> None:
    assert Zones.parse(collection()).containing([1.0], [1.0]) == []


BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b"{", "not JSON"),
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
