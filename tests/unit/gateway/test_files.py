from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.files import Options, UnreadableFile, reader_of
from gateway.files.json_lines import RAW
from tests.support.gateway.files import GPX, NOON

DJI = (
    "sep=,\n"
    "CUSTOM.date [UTC],CUSTOM.updateTime [UTC],OSD.latitude,OSD.longitude,OSD.height [ft],OSD.altitude [ft],"
    "OSD.hSpeed [MPH],OSD.zSpeed [MPH],OSD.yaw,OSD.yaw [360],OSD.flycState,OSD.groundOrSky,OSD.gpsNum,"
    "BATTERY.chargeLevel,RECOVER.aircraftSerial\n"
    "7/4/2025,11:59:59.98 PM,0,0,0.0,98.4,0.0,0.0,-90,270,EngineStart,Ground,3,88,\n"
    "7/5/2025,12:00:00.08 AM,47.476075,-122.192026,3.3,101.7,22.4,-4.5,-90.5,269.5,AutoTakeoff,Sky,14,87,1ZNBJ7\n"
    "7/5/2025,12:00:00.18 AM,47.476076,-122.192027,10.0,108.4,22.4,0.0,10,10,P-GPS,Sky,14,87,1ZNBJ7\n"
)
AIRDATA = (
    "time(millisecond),datetime(utc),latitude,longitude,height_above_takeoff(feet),"
    "height_above_ground_at_drone_location(feet),altitude_above_seaLevel(feet),speed(mph),satellites,"
    " compass_heading(degrees),battery_percent,flycState,message\n"
    + "".join(
        f"{n * 100},2025-07-05 10:00:{(n + 7) // 10:02d},52.5{n:02d},13.4,{n},{n},{100 + n},10,15,271.5,{90 - n},P\n"
        for n in range(25)
    )
)


def read(path: Path, text: str, options: Options | None = None) -> list[tuple[float | None, dict[str, Any]]]:
    path.write_text(text, encoding="utf-8")
    reader = reader_of(path)
    assert reader is not None
    return [tuple(row) for row in reader(path, options or Options())]  # type: ignore[misc]


def test_a_dji_flight_record_in_feet_and_miles(tmp_path: Path) -> None:
    rows = read(tmp_path / "DJIFlightRecord.csv", DJI)
    assert [at for at, _ in rows] == [pytest.approx(1_751_673_599.98 + n / 10) for n in range(3)]
    assert rows[0][1] == {
        "deviceId": "1ZNBJ7",
        "position": {"height": 0.0, "altitude": 29.9923, "altitudeReference": "msl"},
        "groundSpeed": 0.0,
        "verticalSpeed": 0.0,
        "heading": 270.0,
        "battery": 0.88,
        "flightMode": "ready",
        "log": {"satellites": "3", "flycState": "EngineStart"},
    }
    second = rows[1][1]
    assert second["position"] == {
        "latitude": 47.476075,
        "longitude": -122.192026,
        "height": 1.0058,
        "altitude": 30.9982,
        "altitudeReference": "msl",
    }
    assert (second["groundSpeed"], second["verticalSpeed"], second["flightMode"]) == (10.0137, 2.0117, "takeoff")
    assert rows[2][1]["flightMode"] == "inflight"


def test_the_same_record_in_metres(tmp_path: Path) -> None:
    metric = DJI.replace("[ft]", "[m]").replace("[MPH]", "[km/h]")
    (_, first), *_ = read(tmp_path / "a.csv", metric)[1:]
    assert first["position"]["height"] == 3.3
    assert first["groundSpeed"] == 6.2222


def test_a_dji_clock_of_whole_seconds_is_refined_by_the_time_flown(tmp_path: Path) -> None:
    text = "CUSTOM.updateTime [UTC],OSD.flyTime,OSD.flyTime [s],OSD.latitude,OSD.longitude\n" + "".join(
        f"2025/07/05 10:00:{(n + 3) // 10:02d},0m {n / 10}s,{n / 10},52.5,13.4\n" for n in range(25)
    )
    rows = read(tmp_path / "a.csv", text)
    assert [at for at, _ in rows] == [pytest.approx(NOON + 0.3 + n / 10) for n in range(25)]


@pytest.mark.parametrize("damage", [("OSD.height [ft]", "OSD.height"), ("OSD.hSpeed [MPH]", "OSD.hSpeed [furlongs]")])
def test_a_unit_is_never_guessed(tmp_path: Path, damage: tuple[str, str]) -> None:
    with pytest.raises(UnreadableFile, match=r"OSD\.h.* unit.*known are"):
        read(tmp_path / "a.csv", DJI.replace(*damage))


def test_local_time_needs_to_be_placed(tmp_path: Path) -> None:
    local = DJI.replace("[UTC]", "[local]")
    with pytest.raises(UnreadableFile, match="--utc-offset"):
        read(tmp_path / "a.csv", local)
    rows = read(tmp_path / "a.csv", local, Options(utc_offset_minutes=-420))
    assert rows[0][0] == pytest.approx(1_751_673_599.98 + 7 * 3600)


def test_airdata_times_are_exact_though_its_clock_shows_whole_seconds(tmp_path: Path) -> None:
    rows = read(tmp_path / "Jul-5th.csv", AIRDATA)
    assert [at for at, _ in rows] == [pytest.approx(NOON + 0.7 + n / 10) for n in range(25)]
    assert rows[10][1] == {
        "deviceId": "Jul-5th",
        "position": {
            "latitude": 52.51,
            "longitude": 13.4,
            "height": 3.048,
            "altitude": 33.528,
            "altitudeReference": "msl",
        },
        "groundSpeed": 4.4704,
        "heading": 271.5,
        "battery": 0.8,
        "log": {"satellites": "15", "flycState": "P"},
    }


def test_gpx(tmp_path: Path) -> None:
    rows = read(tmp_path / "track.gpx", GPX, Options(device_id="falcon-1"))
    assert rows == [
        (
            NOON + 0.5,
            {
                "deviceId": "falcon-1",
                "position": {"latitude": 52.51, "longitude": 13.4, "altitude": 96.5, "altitudeReference": "msl"},
            },
        ),
        (
            NOON + 1,
            {
                "deviceId": "falcon-1",
                "position": {"latitude": 52.52, "longitude": 13.41},
                "groundSpeed": 4.5,
                "heading": 271.0,
            },
        ),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (GPX.replace("<time>2025-07-05T10:00:00.5Z</time>", ""), "point 1 has no <time>"),
        (GPX.replace('lat="52.52"', 'lat="north"'), "point 2 cannot be read"),
        (GPX[:300], "is no GPX"),
    ],
)
def test_a_gpx_that_cannot_be_flown_says_where(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(UnreadableFile, match=what):
        read(tmp_path / "track.gpx", text)


def test_json_lines_are_kept_as_they_are_and_so_is_what_is_none(tmp_path: Path) -> None:
    text = '{"deviceId": "a", "timestamp": 1751709600.5, "battery": 7}\n\n{"deviceId": "b"}\nnot JSON\n[1]\n'
    rows = read(tmp_path / "x.jsonl", text)
    assert rows == [
        (NOON + 0.5, {"deviceId": "a", "timestamp": 1751709600.5, "battery": 7}),
        (None, {"deviceId": "b"}),
        (None, {RAW: b"not JSON"}),
        (None, {RAW: b"[1]"}),
    ]


def test_what_is_no_flight_says_what_could_be(tmp_path: Path) -> None:
    for name, text in (("a.csv", "time,temperature\n1,2\n"), ("b.txt", "hello"), ("c.csv", "")):
        with pytest.raises(UnreadableFile, match="none of: DJI flight record"):
            read(tmp_path / name, text)
    with pytest.raises(UnreadableFile, match="No such file"):
        reader_of(tmp_path / "gone.csv")
    assert reader_of(tmp_path / "x.tlog") is None


def test_a_log_without_a_row_that_tells_the_time_is_no_flight(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no row with a time"):
        read(tmp_path / "a.csv", "\n".join(DJI.splitlines()[:2]) + "\n")
    with pytest.raises(UnreadableFile, match="no column for date"):
        read(tmp_path / "a.csv", "OSD.latitude,OSD.longitude\n1,2\n")
