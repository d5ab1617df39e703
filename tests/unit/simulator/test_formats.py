"""Whatever a fleet speaks, the pipeline sees the same flights."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.faults import Faults
from simulator.fleet import Fleet
from simulator.formats import FORMATS
from telemetry import times
from telemetry.merge import merge_messages
from telemetry.model import Message
from telemetry.rules import Rules
from telemetry.validation import Validated, validate_batch
from telemetry.view import drone_view
from tests.support.messages import NOW, delivery

START = 1_772_366_400.0
OTHERS = ["cloudevents", "dji", "mavlink-json"]


def flown(kind: str, turns: int = 300, faults: str = "", drones: int = 3) -> Validated:
    spoken = FORMATS[kind]
    fleet = Fleet(drones, 2.0, seed=100, kind=kind, key_frame_gap=spoken.key_frame_gap, faults=Faults.parse(faults))
    sent = [outgoing for _ in range(turns) for outgoing in fleet.take_turn(START + fleet.due(fleet.turn))]
    sent += fleet.rest()
    enqueued_at = times.from_epoch(int(START * 1000) + 3_600_000)
    deliveries = [
        delivery(
            outgoing.body,
            sequence_number=number,
            enqueued_at=enqueued_at,
            content_type=spoken.content_type,
            context={"properties": dict(spoken.properties(spoken.device(outgoing.drone)))},
        )
        for number, outgoing in enumerate(sent)
    ]
    return validate_batch(deliveries, Rules(), "batch-1", NOW)


def latest(messages: list[Message], device: str) -> dict[str, Any]:
    state = merge_messages([m for m in messages if m["deviceId"] == device])[device]
    return drone_view(state, NOW, Rules(), None)


@pytest.mark.parametrize("kind", OTHERS)
def test_every_message_is_accepted_as_what_it_is(kind: str) -> None:
    result = flown(kind)
    assert result.dead_letters == []
    assert len(result.messages) == 300
    names = {"cloudevents": "json", "dji": "dji", "mavlink-json": "mavlink"}
    assert {message["format"] for message in result.messages} == {names[kind]}
    devices = {f"mav-{n + 1}" if kind == "mavlink-json" else f"drone-{n}" for n in range(3)}
    assert {message["deviceId"] for message in result.messages} == devices
    assert all(message["flags"] == [] for message in result.messages)
    assert {m["timeSource"] for m in result.messages} == {"gateway" if kind == "mavlink-json" else "device"}


@pytest.mark.parametrize("kind", OTHERS)
def test_corrupted_ones_are_rejected_one_by_one_and_no_fix_is_flagged(kind: str) -> None:
    result = flown(kind, faults="corrupt=0.2,no_fix=0.3")
    assert len(result.messages) + len(result.dead_letters) == 300
    assert 30 <= len(result.dead_letters) <= 90
    assert any("no_gps_fix" in message["flags"] for message in result.messages)


@pytest.mark.parametrize("kind", OTHERS)
def test_the_drones_end_where_the_native_ones_do(kind: str) -> None:
    ours, theirs = flown("native").messages, flown(kind).messages
    for number in range(3):
        native = latest(ours, f"drone-{number}")
        other = latest(theirs, f"mav-{number + 1}" if kind == "mavlink-json" else f"drone-{number}")
        assert other["flightMode"] == native["flightMode"]
        assert other["battery"] == pytest.approx(native["battery"], abs=0.006)
        assert other["heading"] == pytest.approx(native["heading"], abs=0.05)
        assert other["groundSpeed"] == pytest.approx(native["groundSpeed"], abs=0.02)
        for name in ("latitude", "longitude"):
            assert other["position"][name] == pytest.approx(native["position"][name], abs=2e-7)
        if kind != "dji":
            assert other["health"] == native["health"]


def test_system_ids_are_a_byte(capsys: pytest.CaptureFixture[str]) -> None:
    from simulator.__main__ import main

    with pytest.raises(SystemExit):
        main(["--format", "mavlink-json", "--drones", "256", "--connection", "x"])
    assert "tells 255 drones apart" in capsys.readouterr().err


def test_json_is_native() -> None:
    assert FORMATS["json"] is FORMATS["native"]
