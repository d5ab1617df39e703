from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from gateway.mavlink.fold import Fold
from gateway.mavlink.packets import Packets
from tests.support.gateway.flights import START, Flight


class Listener:
    def __init__(self, device_ids: dict[str, str] | None = None) -> None:
        self.warnings: list[str] = []
        self.appeared: list[tuple[str, int, int]] = []
        self.fold = Fold(
            1.0, device_ids or {}, warn=self.warnings.append, appeared=lambda *who: self.appeared.append(who)
        )

    def hear(self, data: bytes, at: float, source: str = "10.0.0.7:14550") -> None:
        for packet in Packets().feed(data):
            self.fold.hear(source, packet, at)

    def said(self) -> list[dict[str, Any]]:
        self.fold.close()
        return self.fold.take()


def other(system: int, component: int, message: dialect.MAVLink_message) -> bytes:
    return bytes(message.pack(dialect.MAVLink(None, srcSystem=system, srcComponent=component)))


def beat(system: int, component: int, kind: int, autopilot: int = dialect.MAV_AUTOPILOT_INVALID) -> bytes:
    return other(system, component, dialect.MAVLink_heartbeat_message(kind, autopilot, 0, 0, 4, 3))


def test_ground_stations_cameras_gimbals_and_radios_are_no_vehicles() -> None:
    listener = Listener()
    flight = Flight(1)
    listener.hear(beat(255, 190, dialect.MAV_TYPE_GCS), START)
    listener.hear(beat(254, 1, dialect.MAV_TYPE_GCS), START)
    listener.hear(other(254, 1, dialect.MAVLink_global_position_int_message(1, 5, 6, 7, 8, 0, 0, 0, 0)), START)
    listener.hear(beat(1, 100, dialect.MAV_TYPE_CAMERA), START)
    listener.hear(beat(1, 154, dialect.MAV_TYPE_GIMBAL), START)
    listener.hear(beat(9, 1, dialect.MAV_TYPE_ANTENNA_TRACKER, dialect.MAV_AUTOPILOT_ARDUPILOTMEGA), START)
    listener.hear(flight.heartbeat(START), START)
    listener.hear(flight.position(START), START)
    said = listener.said()
    assert [m["deviceId"] for m in said] == ["mav-1"]
    assert said[0]["position"]["height"] == 61.0
    assert listener.appeared == [("10.0.0.7:14550", 1, 1)]


def test_a_vehicle_whose_heartbeat_is_late_is_one_by_its_autopilots_word() -> None:
    listener = Listener()
    listener.hear(Flight(3).position(START), START)
    assert [m["deviceId"] for m in listener.said()] == ["mav-3"]


def test_a_companions_word_is_not_the_autopilots() -> None:
    listener = Listener()
    flight = Flight(1)
    listener.hear(flight.heartbeat(START) + flight.position(START), START)
    listener.hear(other(1, 25, dialect.MAVLink_global_position_int_message(1, 5, 6, 7, 8, 0, 0, 0, 0)), START)
    listener.hear(other(1, 180, dialect.MAVLink_battery_status_message(0, 0, 0, 0, [0] * 10, 0, 0, 0, 44)), START)
    (message,) = listener.said()
    assert message["position"]["latitude"] == 52.511
    assert message["battery"] == 0.44


def test_what_is_unknown_is_absent() -> None:
    listener = Listener()
    flight = Flight(1)
    listener.hear(flight.pack(dialect.MAVLink_sys_status_message(3, 7, 3, 0, 0, -1, -1, 0, 0, 0, 0, 0, 0)), START)
    listener.hear(flight.pack(dialect.MAVLink_global_position_int_message(1, 5, 6, 7, 8, 0, 0, 0, 65535)), START)
    (message,) = listener.said()
    assert "battery" not in message
    assert "heading" not in message
    assert message["health"] == {"gyrometer": True, "accelerometer": True}


def test_vfr_hud_fills_what_the_estimate_leaves_open_and_is_alone_when_that_is_silent() -> None:
    listener = Listener()
    flight = Flight(1)
    hud = flight.pack(dialect.MAVLink_vfr_hud_message(9.0, 8.5, 271, 40, 120.5, 1.5))
    listener.hear(flight.pack(dialect.MAVLink_global_position_int_message(1, 5, 6, 7000, 8, 300, 400, 0, 65535)), START)
    listener.hear(hud, START)
    (message,) = listener.said()
    assert (message["heading"], message["groundSpeed"], message["position"]["altitude"]) == (271, 5.0, 7.0)
    listener.hear(hud, START + 60)
    (message,) = listener.said()
    assert (message["groundSpeed"], message["verticalSpeed"], message["position"]["altitude"]) == (8.5, 1.5, 120.5)


def test_the_receivers_fix_counts_while_there_is_no_estimate() -> None:
    listener = Listener()
    flight = Flight(1)

    def fix(kind: int) -> bytes:
        return flight.pack(
            dialect.MAVLink_gps_raw_int_message(1, kind, 525_000_000, 134_000_000, 88_000, 1, 1, 450, 1, 255)
        )

    listener.hear(flight.heartbeat(START) + fix(1), START)
    (message,) = listener.said()
    assert "position" not in message
    assert message["mavlink"]["fix_type"] == 1
    assert "satellites_visible" not in message["mavlink"]
    listener.hear(fix(3), START + 1)
    (message,) = listener.said()
    assert message["position"] == {"latitude": 52.5, "longitude": 13.4, "altitude": 88.0, "altitudeReference": "msl"}
    assert message["groundSpeed"] == 4.5
    listener.hear(flight.position(START + 2), START + 2)
    listener.hear(fix(3), START + 2)
    (message,) = listener.said()
    assert message["position"]["latitude"] > 52.51


def test_the_landed_state_counts_before_the_custom_mode_while_it_is_told() -> None:
    listener = Listener()
    flight = Flight(1)
    for state, mode in ((1, "ready"), (3, "takeoff"), (2, "inflight"), (4, "landing")):
        listener.hear(flight.pack(dialect.MAVLink_extended_sys_state_message(0, state)), START)
        listener.hear(flight.heartbeat(START, armed=True), START)
        assert listener.said()[-1]["flightMode"] == mode
    listener.hear(flight.pack(dialect.MAVLink_extended_sys_state_message(0, 0)), START + 6)
    listener.hear(flight.heartbeat(START + 6, armed=False), START + 6)
    assert listener.said()[-1]["flightMode"] == "ready"


def test_a_silent_vehicle_harms_no_other_and_says_nothing() -> None:
    listener = Listener()
    one, two = Flight(1), Flight(2)
    messages = []
    for step in range(50):
        at = START + step / 10
        listener.fold.tick(at)
        for flight in (one, two) if step < 15 else (two,):
            for packet in flight.packets(at):
                listener.hear(packet, at)
        messages += listener.fold.take()
    messages += listener.said()
    assert [m["timestamp"][17:] for m in messages if m["deviceId"] == "mav-1"] == ["00.900Z", "01.400Z"]
    assert [m["timestamp"][17:19] for m in messages if m["deviceId"] == "mav-2"] == ["00", "01", "02", "03", "04"]


def test_a_vehicle_that_only_repeats_itself_is_there() -> None:
    listener = Listener()
    flight = Flight(1)
    listener.hear(flight.heartbeat(START), START)
    listener.said()
    listener.hear(flight.heartbeat(START + 1), START + 1)
    assert listener.said() == [{"deviceId": "mav-1", "timestamp": "2026-01-01T00:00:01.000Z", "clock": "gateway"}]


def test_packets_that_overtake_each_other_are_no_reboot() -> None:
    listener = Listener()
    flight = Flight(1)
    listener.hear(flight.heartbeat(START) + flight.position(START + 0.5), START)
    listener.hear(flight.position(START), START)
    assert len(listener.said()) == 1
    assert listener.appeared == [("10.0.0.7:14550", 1, 1)]


def test_a_clock_that_was_never_set_is_not_believed() -> None:
    for microseconds in (0, 12_000_000, round(315_964_800 * 1e6), round((START + 200_000) * 1e6)):
        listener = Listener()
        flight = Flight(1)
        listener.hear(flight.pack(dialect.MAVLink_system_time_message(microseconds, 100_000)), START)
        listener.hear(flight.position(START), START)
        (message,) = listener.said()
        assert message["timestamp"] == "2026-01-01T00:00:00.000Z"
        assert message["clock"] == "gateway"


def test_the_vehicles_clock_counts_for_what_says_no_time_too() -> None:
    listener = Listener()
    flight = Flight(1)
    listener.hear(flight.pack(dialect.MAVLink_system_time_message(round((START + 30) * 1e6), 100_000)), START)
    listener.hear(flight.heartbeat(START + 0.25), START + 0.25)
    (message,) = listener.said()
    assert message["timestamp"] == "2026-01-01T00:00:30.250Z"
    assert "clock" not in message


def test_two_vehicles_of_one_number_are_two_and_the_user_is_told_once() -> None:
    listener = Listener()
    for step in range(3):
        for source, booted in (("10.0.0.7:14550", START - 100), ("10.0.0.8:14550", START - 5000)):
            flight = Flight(1, booted=booted)
            listener.hear(flight.heartbeat(START) + flight.position(START + step), START + step, source)
    assert len(listener.warnings) == 1
    assert "--device-id 10.0.0.8:14550/1=NAME" in listener.warnings[0]

    named = Listener({"10.0.0.8/1": "falcon", "1": "eagle"})
    for source in ("10.0.0.7:14550", "10.0.0.8:14550"):
        named.hear(Flight(1).heartbeat(START), START, source)
    assert [m["deviceId"] for m in named.said()] == ["eagle", "falcon"]
    assert named.warnings == []


def test_the_radios_word_is_for_the_one_vehicle_it_carries() -> None:
    listener = Listener()
    radio = other(51, 68, dialect.MAVLink_radio_status_message(127, 100, 0, 0, 0, 0, 0))
    listener.hear(Flight(1).heartbeat(START), START)
    listener.hear(radio, START)
    assert listener.said()[0]["signal"] == 0.5
    listener.hear(Flight(2).heartbeat(START + 1), START + 1)
    listener.hear(Flight(1).heartbeat(START + 1), START + 1)
    listener.hear(other(51, 68, dialect.MAVLink_radio_status_message(254, 0, 0, 0, 0, 0, 0)), START + 1)
    assert all("signal" not in m for m in listener.said())


def test_vehicles_that_are_gone_are_forgotten() -> None:
    listener = Listener()
    listener.hear(Flight(1).heartbeat(START), START)
    listener.said()
    assert listener.fold.vehicles == 1
    listener.fold.forget(START + 601)
    assert listener.fold.vehicles == 0
    assert listener.fold.done == {}
