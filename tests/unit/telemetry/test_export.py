"""Tracks in other people's formats: what is in them, where they are cut, and that they are valid."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from telemetry import times
from telemetry.export import FORMATS, Thinning
from telemetry.export.csv_table import COLUMNS
from telemetry.export.points import Track
from telemetry.model import Message
from tests.support.messages import FULL, accept

SCHEMAS = Path(__file__).parent / "schemas"
START = times.microseconds("2026-03-01T12:00:00.000000Z")


def at(second: float) -> str:
    return times.from_microseconds(START + round(second * 1e6))


def message(second: float, longitude: float | None = None, latitude: float = 1.0, **position: Any) -> Message:
    made: dict[str, Any] = {"time": at(second), "deviceId": "d"}
    if longitude is not None:
        made["position"] = {"longitude": longitude, "latitude": latitude, **position}
    return cast(Message, made)


def written(name: str, messages: Iterable[Message], title: str = "d", reference: Any = "takeoff") -> bytes:
    encoder = FORMATS[name].make(Track(title, 300, reference))
    return b"".join([encoder.begin(), *(encoder.add(one) for one in messages), encoder.end()])


def geojson(*messages: Message) -> dict[str, Any]:
    feature: dict[str, Any] = json.loads(written("geojson", messages))
    assert (feature["type"], feature["id"], feature["properties"]["id"]) == ("Feature", "d", "d")
    return feature


def test_a_track_is_a_line_with_its_times() -> None:
    feature = geojson(message(0, 10, altitude=5), message(1), message(2, 11))
    assert feature["geometry"] == {"type": "LineString", "coordinates": [[10, 1, 5], [11, 1]]}
    assert feature["properties"]["times"] == [at(0), at(2)]


def test_what_is_no_line_is_a_point_or_nothing() -> None:
    assert geojson(message(0))["geometry"] is None
    assert geojson()["properties"]["times"] == []
    feature = geojson(message(0, 10))
    assert feature["geometry"] == {"type": "Point", "coordinates": [10, 1]}
    assert feature["properties"]["times"] == [at(0)]


def test_a_long_silence_cuts_the_track() -> None:
    feature = geojson(message(0, 10), message(300, 11), message(600.000001, 12))
    # A line has two positions: the one after the silence stands there twice.
    assert feature["geometry"] == {
        "type": "MultiLineString",
        "coordinates": [[[10, 1], [11, 1]], [[12, 1], [12, 1]]],
    }
    assert feature["properties"]["times"] == [[at(0), at(300)], [at(600.000001), at(600.000001)]]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_track_over_the_antimeridian_is_cut_there(sign: int) -> None:
    feature = geojson(
        message(0, sign * 179.9, -18.0, altitude=100, height=10),
        message(10, sign * -179.7, -17.0, altitude=200, height=20),
    )
    west, east = feature["geometry"]["coordinates"]
    assert feature["geometry"]["type"] == "MultiLineString"
    assert west[0] == [sign * 179.9, -18, 100]
    assert west[1] == pytest.approx([sign * 180, -17.75, 125])
    assert east[0] == pytest.approx([sign * -180, -17.75, 125])
    assert east[1] == [sign * -179.7, -17, 200]
    assert feature["properties"]["times"] == [[at(0), at(2.5)], [at(2.5), at(10)]]


def test_a_track_that_begins_on_the_antimeridian() -> None:
    lines = geojson(message(0, 180), message(10, -179))["geometry"]["coordinates"]
    assert lines == [[[180, 1], [180, 1]], [[-180, 1], [-179, 1]]]
    lines = geojson(message(0, 179), message(10, -180))["geometry"]["coordinates"]
    assert lines == [[[179, 1], [180, 1]], [[-180, 1], [-180, 1]]]


def test_the_table_has_a_column_for_each_field_with_its_unit() -> None:
    body = {**FULL, "mission": 'a "b", c', "position": {**FULL["position"], "height": 3}, "verticalSpeed": -1}
    text = written("csv", [accept(body)]).decode()
    assert text.endswith("\r\n")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert {
        "time": "2026-03-01T12:00:00.250000Z",
        "position.latitude_deg": "47.476075",
        "position.altitude_m": "80.5",
        "position.height_m": "3.0",
        "position.altitudeReference": "",
        "groundSpeed_mps": "12.5",
        "verticalSpeed_mps": "-1.0",
        "heading_deg": "271.0",
        "battery_fraction": "0.75",
        "flightMode": "inflight",
        "flightModeNumber": "3",
        "health.magnetometer": "false",
        "keyFrame": "true",
        "mission": 'a "b", c',
        "signal_fraction": "",
        "deviceId": "drone-7",
    }.items() <= row.items()
    assert list(row) == [name for name, _ in COLUMNS]


def test_lists_in_the_table_are_separated_by_blanks() -> None:
    made = message(0, 1)
    made["derived"] = {"zones": ["a", "b"], "distanceFromHome": 1.5}
    made["alerts"] = [{"code": "low_battery", "at": at(0)}, {"code": "no_fly_zone", "at": at(0)}]
    (row,) = csv.DictReader(io.StringIO(written("csv", [made]).decode(), newline=""))
    assert (row["derived.zones"], row["derived.distanceFromHome_m"]) == ("a b", "1.5")
    assert row["alerts"] == "low_battery no_fly_zone"


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_is_no_formula_to_a_spreadsheet(begins: str) -> None:
    made = message(0, 1)
    made["mission"] = f"{begins}cmd|' /C calc'!A1"
    made["derived"] = {"zones": [f"{begins}1+1", "b"]}
    made["verticalSpeed"] = -1.5
    (row,) = csv.DictReader(io.StringIO(written("csv", [made]).decode(), newline=""))
    assert row["mission"] == f"'{made['mission']}"
    assert row["derived.zones"] == f"'{begins}1+1 b"
    assert row["verticalSpeed_mps"] == "-1.5"


def tree(name: str, body: bytes) -> Any:
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / f"{name}_track.xsd")))
    document = etree.fromstring(body)
    schema.assertValid(document)
    return document


FLIGHT = [
    message(0, 179.9, 1, altitude=100, height=10),
    message(1),
    message(10, -179.9, 2, altitude=110, height=20),
    message(1000, -170, altitude=1e-7),
    message(1001, 180.0),
]


def test_gpx() -> None:
    document = tree("gpx", written("gpx", FLIGHT, 'a<b>&"c\x01'))
    space = {"g": "http://www.topografix.com/GPX/1/1"}
    assert document.findtext("g:trk/g:name", namespaces=space) == 'a<b>&"c\ufffd'
    segments = document.findall("g:trk/g:trkseg", space)
    assert [len(segment) for segment in segments] == [2, 2, 2, 1]
    first = segments[0][0]
    assert (first.get("lat"), first.get("lon")) == ("1", "179.9")
    assert [child.text for child in first] == ["100", at(0)]
    assert segments[0][1].get("lon") == "179.9999999"
    assert segments[1][0].get("lon") == "-180.0"


def test_kml() -> None:
    document = tree("kml", written("kml", FLIGHT, "a<b>"))
    space = {"k": "http://www.opengis.net/kml/2.2"}
    lines = document.findall(".//k:LineString", space)
    assert [line.findtext("k:altitudeMode", namespaces=space) for line in lines] == ["relativeToGround"] * 3
    assert lines[0].findtext("k:coordinates", namespaces=space) == "179.9,1,10 180.0,1.5,15.0"
    spans = [[part.text for part in span] for span in document.findall(".//k:TimeSpan", space)]
    assert spans[:2] == [[at(0), at(5)], [at(5), at(10)]]


@pytest.mark.parametrize(
    ("position", "reference", "mode", "place"),
    [
        ({}, "msl", "clampToGround", "1,1.0"),
        ({"altitude": 5}, "msl", "absolute", "1,1.0,5"),
        ({"altitude": 5}, "takeoff", "relativeToGround", "1,1.0,5"),
        ({"altitude": 5}, "wgs84", "clampToGround", "1,1.0"),
        ({"altitude": 5, "altitudeReference": "msl"}, "takeoff", "absolute", "1,1.0,5"),
        ({"altitude": 500, "height": 7}, "msl", "relativeToGround", "1,1.0,7"),
    ],
)
def test_what_a_height_refers_to_decides_how_kml_draws_it(
    position: dict[str, Any], reference: str, mode: str, place: str
) -> None:
    document = tree("kml", written("kml", [message(0, 1, **position)], reference=reference))
    space = {"k": "http://www.opengis.net/kml/2.2"}
    point = document.find(".//k:Point", space)
    assert [child.text for child in point] == [mode, place]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 5000),
            st.none() | st.floats(-180, 180),
            st.floats(-90, 90),
            st.none() | st.floats(-1000, 20000),
        ),
        max_size=12,
    )
)
def test_whatever_was_flown_is_written_validly(flight: list[tuple[float, float | None, float, float | None]]) -> None:
    messages = [
        message(second, longitude, latitude, **({} if altitude is None else {"altitude": altitude}))
        for second, longitude, latitude, altitude in sorted(flight, key=lambda one: one[0])
    ]
    for name in ("gpx", "kml"):
        tree(name, written(name, messages))
    feature = geojson(*messages)
    geometry, moments = feature["geometry"], feature["properties"]["times"]
    lines = [] if geometry is None else [geometry["coordinates"]]
    if geometry is not None and geometry["type"] == "MultiLineString":
        lines = geometry["coordinates"]
        assert [len(line) for line in lines] == [len(part) for part in moments]
    for line in lines if geometry and geometry["type"] != "Point" else []:
        assert len(line) >= 2
        assert all(abs(a[0] - b[0]) <= 180 for a, b in itertools.pairwise(line))
    rows = list(csv.reader(io.StringIO(written("csv", messages).decode(), newline="")))
    assert len(rows) == 1 + len(messages)


def test_thinning_keeps_one_message_in_so_many_seconds_in_either_direction() -> None:
    seconds = [0, 0.4, 1, 1.4, 1.9, 2, 5, 5, 5.999999, 6]
    forth = Thinning(1)
    assert [second for second in seconds if forth.keeps(at(second))] == [0, 1, 2, 5, 6]
    back = Thinning(1)
    assert [second for second in reversed(seconds) if back.keeps(at(second))] == [6, 5, 2, 1, 0]
    assert [second for second in seconds if Thinning(1, at(1.5)).keeps(at(second))] == [0, 0.4, 5, 5, 5.999999, 6]
