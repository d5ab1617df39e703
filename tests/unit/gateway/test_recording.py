"""A ``.tlog`` read by pymavlink and by the gateway says the same at every second."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as dialect

from gateway.mavlink.recording import NothingRecorded, play
from gateway.pace import Pace
from tests.support.gateway.flights import START, Flight, tlog

Messages = list[dict[str, Any]]


async def played(path: Path, device_ids: dict[str, str] | None = None, *, pace: Pace | None = None) -> Messages:
    return [m async for group in play(path, 1.0, device_ids or {}, pace or Pace(0)) for m in group]


def merged(messages: Messages) -> dict[str, dict[str, Any]]:
    """Each message's second, with all that is known by its end: what the pipeline's merge makes of partial messages."""
    state: dict[str, Any] = {}
    by_second = {}
    for message in messages:
        position = {**state.get("position", {}), **message.get("position", {})}
        state = {**state, **message, "position": position}
        by_second[message["timestamp"][:19]] = json.loads(json.dumps(state))
    return by_second


def by_pymavlink(path: Path, system: int) -> dict[str, dict[str, Any]]:
    """The last value of each second, by pymavlink's reader of the file."""
    log = mavutil.mavlogfile(str(path))
    known: dict[str, Any] = {}
    by_second: dict[str, dict[str, Any]] = {}
    while (message := log.recv_msg()) is not None:
        if message.get_srcSystem() != system:
            continue
        known[message.get_type()] = message
        second = mavutil.time.strftime("%Y-%m-%dT%H:%M:%S", mavutil.time.gmtime(message._timestamp + 1e-4))
        by_second[second] = dict(known)
    return by_second


async def test_every_second_says_what_pymavlink_says(tmp_path: Path) -> None:
    path = tlog(tmp_path / "flight.tlog", [Flight(1), Flight(2, dialect.MAV_AUTOPILOT_PX4)], 90)
    messages = await played(path)
    for system in (1, 2):
        own = [m for m in messages if m["deviceId"] == f"mav-{system}"]
        assert len(own) == 90
        ours, theirs = merged(own), by_pymavlink(path, system)
        assert ours.keys() == theirs.keys()
        for second, state in ours.items():
            there = theirs[second]
            place, status = there["GLOBAL_POSITION_INT"], there["SYS_STATUS"]
            assert state["position"] == {
                "latitude": round(place.lat / 1e7, 7),
                "longitude": round(place.lon / 1e7, 7),
                "altitude": place.alt / 1000,
                "height": place.relative_alt / 1000,
                "altitudeReference": "msl",
            }
            assert state["groundSpeed"] == pytest.approx(math.hypot(place.vx, place.vy) / 100, abs=1e-3)
            assert state["verticalSpeed"] == 0.12
            assert state["heading"] == place.hdg / 100
            assert state["battery"] == status.battery_remaining / 100
            assert state["health"] == {"gyrometer": True, "accelerometer": True, "magnetometer": True}
            landing = system == 1 and there["HEARTBEAT"].custom_mode == 9
            assert state["flightMode"] == ("landing" if landing else "inflight")
            assert state["mavlink"].get("custom_mode", 9) == there["HEARTBEAT"].custom_mode


async def test_a_message_says_only_what_changed_and_a_key_frame_everything(tmp_path: Path) -> None:
    messages = await played(tlog(tmp_path / "flight.tlog", [Flight()], 31))
    assert [bool(m.get("keyFrame")) for m in messages] == [number % 10 == 0 for number in range(31)]
    assert all({"battery", "flightMode", "health", "mavlink"} <= m.keys() for m in messages if m.get("keyFrame"))
    partial = [m for m in messages if not m.get("keyFrame")]
    assert all("health" not in m and "flightMode" not in m for m in partial)
    assert sum("battery" in m for m in partial) == 3
    assert all("clock" not in m for m in messages)


async def test_the_same_file_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    path = tlog(tmp_path / "flight.tlog", [Flight()], 25)
    assert json.dumps(await played(path)) == json.dumps(await played(path))


async def test_names_and_the_recorders_clock_where_the_vehicle_has_none(tmp_path: Path) -> None:
    path = tlog(tmp_path / "flight.tlog", [Flight(7, utc=False)], 3)
    messages = await played(path, {"7": "falcon-7"})
    assert [m["deviceId"] for m in messages] == ["falcon-7"] * 3
    assert [m["timestamp"] for m in messages] == [f"2026-01-01T00:00:0{n}.900Z" for n in range(3)]
    assert all(m["clock"] == "gateway" for m in messages)


async def test_one_name_for_a_recording_and_the_beginning_of_further_ones(tmp_path: Path) -> None:
    one = await played(tlog(tmp_path / "one.tlog", [Flight(4)], 2), {"*": "demo"})
    assert {m["deviceId"] for m in one} == {"demo"}
    two = await played(tlog(tmp_path / "two.tlog", [Flight(4), Flight(5)], 2), {"*": "demo"})
    assert {m["deviceId"] for m in two} == {"demo", "demo-5"}


async def test_a_reboot_forgets_what_was_and_loses_no_second(tmp_path: Path) -> None:
    flight = Flight()
    records = tlog(tmp_path / "first.tlog", [flight], 10).read_bytes()
    again = Flight(booted=START + 9.0)
    for step in range(100, 200):
        at = START + step / 10
        records += b"".join(round(at * 1e6).to_bytes(8, "big") + packet for packet in again.packets(at))
    (tmp_path / "both.tlog").write_bytes(records)
    messages = await played(tmp_path / "both.tlog")
    # What came between the boot and its first word of the time stands by itself.
    assert [m["timestamp"][17:19] for m in messages if m["timestamp"][17:] != "10.000Z"] == [
        f"{second:02d}" for second in range(20)
    ]
    after = next(m for m in messages if m["timestamp"][17:] == "10.900Z")
    assert after["keyFrame"]
    assert after["position"]["latitude"] == pytest.approx(52.511 + 10.9 * 9e-5, abs=1e-6)


async def test_damage_and_a_torn_end_cost_only_themselves(tmp_path: Path) -> None:
    path = tlog(tmp_path / "flight.tlog", [Flight(1), Flight(2)], 20)
    content = bytearray(path.read_bytes())
    for at in range(3000, len(content) - 400, 9973):
        content[at] ^= 0x55
    content[20_000:20_000] = b"\xfd\xff noise \x00" * 5
    path.write_bytes(bytes(content[:-7]))
    messages = await played(path)
    for system in (1, 2):
        seconds = [m["timestamp"][:19] for m in messages if m["deviceId"] == f"mav-{system}"]
        assert seconds == [f"2026-01-01T00:00:{second:02d}" for second in range(20)]
    assert {m["deviceId"] for m in messages} == {"mav-1", "mav-2"}


async def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.tlog").write_bytes(b"hello " * 100)
    with pytest.raises(NothingRecorded, match=r"x\.tlog"):
        await played(tmp_path / "x.tlog")


async def test_as_if_it_were_flown_now(tmp_path: Path) -> None:
    path = tlog(tmp_path / "flight.tlog", [Flight()], 5)
    pace = Pace(0, as_if_now=True)
    pace.base = START + 1000
    messages = await played(path, pace=pace)
    assert [m["timestamp"][17:] for m in messages] == ["36.000Z", "37.000Z", "38.000Z", "39.000Z", "40.000Z"]
