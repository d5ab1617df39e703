from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from simulator.faults import Faults
from simulator.fleet import Fleet, Outgoing
from simulator.formats import FORMATS
from telemetry import times
from telemetry.merge import merge_messages, registers
from telemetry.model import Message
from telemetry.rules import Rules
from telemetry.validation import Validated, validate_batch
from tests.support.messages import NOW, delivery

START = 1_772_366_400.0


def fleet(drones: int = 5, rate: float = 2.0, kind: str = "json", faults: str = "", seed: int = 100) -> Fleet:
    gap = FORMATS[kind].key_frame_gap
    return Fleet(drones, rate, seed=seed, kind=kind, key_frame_gap=gap, faults=Faults.parse(faults))


def events(of: Fleet, turns: int) -> list[Outgoing]:
    sent = [outgoing for _ in range(turns) for outgoing in of.take_turn(START + of.due(of.turn))]
    return sent + list(of.rest())


def validated(sent: list[Outgoing], kind: str = "json") -> Validated:
    enqueued_at = times.from_epoch(int(START * 1000) + 3_600_000)
    deliveries = [
        delivery(
            outgoing.body, sequence_number=number, enqueued_at=enqueued_at, content_type=FORMATS[kind].content_type
        )
        for number, outgoing in enumerate(sent)
    ]
    return validate_batch(deliveries, Rules(), "batch-1", NOW)


def per_drone(messages: list[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message["deviceId"], []).append(message)
    return found


@pytest.mark.parametrize("kind", ["json", "protobuf"])
def test_without_faults_every_message_is_accepted_and_none_is_like_another(kind: str) -> None:
    result = validated(events(fleet(kind=kind), 2000), kind)
    assert not result.dead_letters
    assert len({message["id"] for message in result.messages}) == 2000
    assert {name: len(found) for name, found in per_drone(result.messages).items()} == {
        f"drone-{n}": 400 for n in range(5)
    }
    assert all(not message["flags"] and "extra" not in message for message in result.messages)


@pytest.mark.parametrize(("kind", "gap"), [("json", 10), ("protobuf", 100)])
def test_key_frames(kind: str, gap: int) -> None:
    for messages in per_drone(validated(events(fleet(kind=kind), 1500), kind).messages).values():
        assert [n for n, message in enumerate(messages) if message["keyFrame"]] == list(range(0, 300, gap))
        for message in messages[::gap]:
            assert {"battery", "flightMode", "position", "health"} <= message.keys()
        assert any("health" not in message for message in messages)


def test_what_changed_is_enough_to_know_the_drone() -> None:
    of = fleet(drones=3)
    state = merge_messages(validated(events(of, 999)).messages)
    for member in of._members:
        sample = member.drone.sample()
        known = registers(state[member.drone.device_id])
        for name in ("battery", "groundSpeed", "heading"):
            assert known[name][0] == sample[name]
        for group in ("position", "health"):
            assert {name: known[name][0] for name in sample[group]} == sample[group]


def test_the_fleet_is_spread_over_time() -> None:
    of = fleet(drones=4, rate=2.0)
    assert [of.due(turn) for turn in range(5)] == [0.0, 0.125, 0.25, 0.375, 0.5]
    sent = events(of, 8)
    assert [outgoing.drone for outgoing in sent] == [0, 1, 2, 3, 0, 1, 2, 3]
    stamps = [json.loads(outgoing.body)["timestamp"] for outgoing in sent]
    assert stamps[0] == "2026-03-01T12:00:00.000Z"
    assert stamps[5] == "2026-03-01T12:00:00.625Z"


def test_two_messages_of_a_drone_are_never_of_one_millisecond() -> None:
    of = fleet(drones=1, rate=5000.0)
    ids = [message["id"] for message in validated(events(of, 500)).messages]
    assert len(set(ids)) == 500


FAULTS = "duplicates=0.1,reorder=0.1,late=0.05,corrupt=0.1,no_fix=0.05,unknown_mode=0.05"


@pytest.mark.parametrize("faults", ["", FAULTS])
@pytest.mark.parametrize("kind", ["json", "protobuf"])
def test_the_same_seed_sends_the_same(kind: str, faults: str) -> None:
    assert events(fleet(kind=kind, faults=faults), 1000) == events(fleet(kind=kind, faults=faults), 1000)
    assert events(fleet(kind=kind, faults=faults), 1000) != events(fleet(kind=kind, faults=faults, seed=1), 1000)


def test_faults_lose_nothing_and_are_counted_right() -> None:
    sent = events(fleet(faults=FAULTS), 3000)
    corrupted = sum(outgoing.corrupted for outgoing in sent)
    duplicated = sum(outgoing.duplicated for outgoing in sent)
    assert len(sent) == 3000 + duplicated
    assert 200 < corrupted < 400
    assert 200 < duplicated < 400
    result = validated(sent)
    assert len(result.dead_letters) == corrupted
    ids = Counter(message["id"] for message in result.messages)
    assert sum(count - 1 for count in ids.values()) == duplicated
    assert len(ids) == 3000 - corrupted
    flags = Counter(flag for message in result.messages for flag in message["flags"])
    assert flags["no_gps_fix"] > 50
    assert flags["unknown_flight_mode_number"] > 50


def displacements(messages: list[Message]) -> list[int]:
    """By how many places each message comes after one that is newer than it."""
    order = sorted(messages, key=lambda message: message["time"])
    return [place - order.index(message) for place, message in enumerate(messages)]


def test_reorder_swaps_neighbours_and_late_is_later() -> None:
    for messages in per_drone(validated(events(fleet(faults="reorder=0.2"), 1000)).messages).values():
        moved = displacements(messages)
        assert sum(place > 0 for place in moved) > 10
        assert max(moved) <= 1
    for messages in per_drone(validated(events(fleet(faults="late=0.05"), 1000)).messages).values():
        assert max(displacements(messages)) >= 5


def test_a_faulty_order_ends_in_the_same_states() -> None:
    def states(faults: str) -> dict[str, Any]:
        merged = merge_messages(validated(events(fleet(faults=faults), 1500)).messages)
        return {name: registers(state) for name, state in merged.items()}

    assert states("duplicates=0.2,reorder=0.2,late=0.1") == states("")


def test_a_fault_changes_only_its_own_messages() -> None:
    plain = {outgoing.body for outgoing in events(fleet(), 500)}
    doubled = events(fleet(faults="duplicates=0.3"), 500)
    assert {outgoing.body for outgoing in doubled} == plain
