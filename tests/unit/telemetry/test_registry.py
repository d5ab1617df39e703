from __future__ import annotations

import json
from typing import Any

import pytest

from telemetry.registry import InvalidRegistry, Registry

ENTRY = {
    "id": "drone-1",
    "name": "Heron",
    "model": "X4",
    "owner": "north",
    "home": {"latitude": 47.476075, "longitude": -122.192026},
}


@pytest.mark.parametrize("document", [{"drones": [ENTRY]}, [ENTRY]])
def test_a_registry_is_an_object_or_the_bare_list(document: Any) -> None:
    for form in (document, json.dumps(document), json.dumps(document).encode()):
        assert Registry.parse(form).drones == {"drone-1": ENTRY}


def test_only_the_id_is_needed_and_more_is_kept() -> None:
    registry = Registry.parse([{"id": "drone-1", "colour": "red"}])
    assert registry.drones["drone-1"] == {
        "id": "drone-1",
        "name": None,
        "model": None,
        "owner": None,
        "home": None,
        "colour": "red",
    }


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        ({}, "drones"),
        ("5", "drones"),
        ({"drones": {}}, "drones"),
        ([ENTRY, 5], r"drones\[1\]: must be an object"),
        ([{}], r"drones\[0\]\.id"),
        ([{"id": 5}], r"drones\[0\]\.id"),
        ([{"id": "a b"}], r"drones\[0\]\.id.*'a b'"),
        ([ENTRY, ENTRY], r"drones\[1\]\.id.*twice"),
        ([{**ENTRY, "name": 5}], r"drones\[0\]\.name"),
        ([{**ENTRY, "model": []}], r"drones\[0\]\.model"),
        ([{**ENTRY, "owner": True}], r"drones\[0\]\.owner"),
        ([{**ENTRY, "home": [47, -122]}], r"drones\[0\]\.home: must be an object"),
        ([{**ENTRY, "home": {"latitude": 47}}], r"drones\[0\]\.home\.longitude"),
        ([{**ENTRY, "home": {"latitude": 91, "longitude": 0}}], r"drones\[0\]\.home\.latitude"),
        ([{**ENTRY, "home": {"latitude": True, "longitude": 0}}], r"drones\[0\]\.home\.latitude"),
        ([{**ENTRY, "home": {"latitude": 0, "longitude": "0"}}], r"drones\[0\]\.home\.longitude"),
    ],
)
def test_an_error_names_entry_and_field(document: Any, named: str) -> None:
    with pytest.raises(InvalidRegistry, match=named):
        Registry.parse(document)


@pytest.mark.parametrize(
    ("home", "named"),
    [
        ({"altitude": "high"}, "home.altitude"),
        ({"altitude": True}, "home.altitude"),
        ({"altitude": 5, "altitudeReference": "ground"}, "home.altitudeReference"),
        ({"altitude": 5, "altitudeReference": "takeoff"}, "home.altitudeReference"),
    ],
)
def test_a_homes_altitude_is_checked(home: dict[str, object], named: str) -> None:
    place = {"latitude": 1, "longitude": 1}
    with pytest.raises(InvalidRegistry, match=named):
        Registry.parse([{"id": "d", "home": {**place, **home}}])
    Registry.parse([{"id": "d", "home": {**place, "altitude": 5, "altitudeReference": "wgs84"}}])
