"""Merging: any order, repetition and split of the same deliveries gives the same bytes; old states merge as well."""

from __future__ import annotations

import json
import random
from functools import reduce
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry import times
from telemetry.merge import CONDITIONS, REGISTERS, canonical, from_message, merge, merge_messages, registers
from telemetry.model import DroneState, Message
from tests.support.old_states import old_state

TIMES = [f"2026-03-01T12:00:0{second}.000000Z" for second in range(4)]
LATER = [f"2026-03-01T12:01:0{second}.000000Z" for second in range(4)]
MICROS = [times.microseconds(time) for time in TIMES]

parts: dict[str, st.SearchStrategy[Any]] = {
    "battery": st.floats(0, 1),
    "flightModeNumber": st.integers(0, 7),
    "position": st.fixed_dictionaries(
        {},
        optional={
            "latitude": st.sampled_from([47.0, 48.5]),
            "longitude": st.sampled_from([-122.0, 8.5]),
            "altitude": st.sampled_from([0.0, 80.0]),
            "height": st.sampled_from([0.0, 80.0]),
            "altitudeReference": st.sampled_from(["msl", "takeoff"]),
        },
    ),
    "health": st.fixed_dictionaries(
        {}, optional={name: st.booleans() for name in ("gyrometer", "accelerometer", "magnetometer")}
    ),
    "groundSpeed": st.floats(0, 50),
    "heading": st.floats(0, 359),
    "verticalSpeed": st.floats(-5, 5),
    "signal": st.floats(0, 1),
    "mission": st.sampled_from(["", "survey"]),
    "derived": st.fixed_dictionaries(
        {"zones": st.sampled_from([[], ["a"], ["a", "b"]]), "noFly": st.booleans(), "outsideGeofence": st.booleans()},
        optional={
            "distanceFromHome": st.sampled_from([1.5, 20.0]),
            "altitudeLimitExceeded": st.none() | st.booleans(),
        },
    ),
    "alerts": st.sampled_from([[], [{"code": "low_battery", "at": ""}]]),
}


@st.composite
def deliveries(draw: st.DrawFn, names: tuple[str, ...] = tuple(parts)) -> list[Message]:
    """Deliveries of some messages of one drone, several of one message included. An id determines its content, and a
    place at the hub its message, as it is in life."""
    wanted = {name: parts[name] for name in names}
    contents = draw(st.lists(st.fixed_dictionaries({}, optional=wanted), min_size=1, max_size=5))
    messages: list[Any] = []
    places = set()
    for number, content in enumerate(contents):
        time = draw(st.sampled_from(TIMES))
        for _ in range(draw(st.integers(1, 3))):
            enqueued_at, partition = draw(st.sampled_from(LATER)), draw(st.sampled_from(["0", "1"]))
            sequence_number, index = draw(st.integers(0, 3)), draw(st.integers(0, 2))
            place = (enqueued_at, partition, sequence_number, index)
            if place not in places:
                places.add(place)
                messages.append(
                    {
                        **content,
                        "id": f"m{number}",
                        "deviceId": "drone-1",
                        "time": time,
                        "enqueuedAt": enqueued_at,
                        "partition": partition,
                        "sequenceNumber": sequence_number,
                        "index": index,
                    }
                )
    return messages


def stamp(message: Message) -> tuple[Any, ...]:
    return tuple(cast(Any, message)[name] for name in ("time", "enqueuedAt", "sequenceNumber", "index", "id"))


def state_of(messages: list[Message]) -> DroneState:
    return merge_messages(messages)["drone-1"]


@given(deliveries(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same_bytes(messages: list[Message], rng: random.Random) -> None:
    expected = json.dumps(state_of(messages))
    shuffled = messages + rng.choices(messages, k=rng.randrange(4))
    rng.shuffle(shuffled)
    assert json.dumps(state_of(shuffled)) == expected
    assert canonical(state_of(shuffled)) == canonical(json.loads(expected))


@given(deliveries(), st.randoms(use_true_random=False))
def test_any_split_into_batches_gives_the_same_bytes(messages: list[Message], rng: random.Random) -> None:
    shuffled = messages * 2
    rng.shuffle(shuffled)
    state: DroneState | None = None
    while shuffled:
        size = rng.randint(1, len(shuffled))
        patch = json.loads(json.dumps(state_of(shuffled[:size])))
        state = json.loads(json.dumps(merge(state, patch)))
        shuffled = shuffled[size:]
    assert json.dumps(state) == json.dumps(state_of(messages))


@given(deliveries(), deliveries(), deliveries())
def test_commutative_associative_idempotent(a: list[Message], b: list[Message], c: list[Message]) -> None:
    # One id with other contents in each list: what one message is enriched with may change between two deliveries.
    laws(*(state_of(messages) for messages in (a, b, c)))


# What there was when stamps had two parts.
OLD = ("battery", "flightModeNumber", "health", "groundSpeed", "heading")


@given(deliveries(), deliveries(OLD), deliveries(OLD), st.randoms(use_true_random=False))
def test_old_states_merge_with_new_ones(
    new: list[Message], old: list[Message], older: list[Message], rng: random.Random
) -> None:
    x, y, z = state_of(new), old_state(old), old_state(older)
    laws(x, y, z)
    patches = [x, y, z, state_of(old)] * 2
    rng.shuffle(patches)
    merged = reduce(merge, patches[1:], merge(None, patches[0]))
    assert json.dumps(merged) == json.dumps(merge(merge(merge(x, y), z), state_of(old)))


@given(deliveries(OLD), deliveries(OLD))
def test_what_the_old_code_has_merged_is_what_the_new_code_merges(a: list[Message], b: list[Message]) -> None:
    # Of one id one content: an entity may have merged the two before, or may do it now.
    for message in b:
        message["id"] = f"n{message['id']}"
    assert json.dumps(merge(None, old_state(a + b))) == json.dumps(merge(old_state(a), old_state(b)))


def laws(x: DroneState, y: DroneState, z: DroneState) -> None:
    assert json.dumps(merge(x, y)) == json.dumps(merge(y, x))
    assert json.dumps(merge(x, merge(y, z))) == json.dumps(merge(merge(x, y), z))
    assert json.dumps(merge(x, x)) == json.dumps(merge(None, x))
    assert json.dumps(merge(merge(x, y), y)) == json.dumps(merge(x, y))


@given(deliveries())
def test_agrees_with_the_definition(messages: list[Message]) -> None:
    """Against a model that says it directly: per field the value of the message with the largest stamp."""
    state = state_of(messages)
    known = registers(state)
    for name in REGISTERS:
        said = []
        for message in messages:
            values = from_message(message)["layers"][0][5] if from_message(message)["layers"] else {}
            if name in values:
                said.append((stamp(message), message["partition"], values[name]))
        if said:
            top, _, value = max(said, key=lambda one: one[:2])
            assert known[name] == (value, top[0])
        else:
            assert name not in known
    newest = max(messages, key=stamp)
    assert state["last"][0] == times.microseconds(newest["time"])
    assert state["last"][5] == min(m["partition"] for m in messages if stamp(m) == stamp(newest))
    by_hub = max(messages, key=lambda m: (m["enqueuedAt"], m["sequenceNumber"], m["index"], m["time"]))
    assert state["lastSeen"] == by_hub["enqueuedAt"]
    assert state["seen"] == [by_hub["sequenceNumber"], by_hub["index"], times.microseconds(by_hub["time"])]


@given(deliveries())
def test_conditions_agree_with_the_definition(messages: list[Message]) -> None:
    state = state_of(messages)
    for sensor in ("gyrometer", "accelerometer", "magnetometer"):
        said = [
            (times.microseconds(m["time"]), cast(Any, m["health"])[sensor])
            for m in messages
            if sensor in m.get("health", {}) and "alerts" in m
        ]
        well = [time for time, value in said if value]
        ill = [time for time, value in said if not value]
        assert state["clear"].get(sensor) == (max(well) if well else None)
        assert state["held"].get(sensor) == (min(ill) if ill and not well else None)
    assert list(state["clear"]) == [name for name in CONDITIONS if name in state["clear"]]


def message(number: int, **fields: Any) -> Message:
    said: Any = {
        "id": f"m{number}",
        "deviceId": "drone-1",
        "time": TIMES[number],
        "enqueuedAt": LATER[number],
        "partition": "0",
        "sequenceNumber": number,
        "index": 0,
        **fields,
    }
    return cast(Message, said)


def values(state: DroneState) -> dict[str, Any]:
    return {name: value for name, (value, _) in registers(state).items()}


def test_of_equal_times_the_one_delivered_last_counts() -> None:
    """A batch that the hub enqueued at one instant, and an array without timestamps."""
    same = {"time": TIMES[0], "enqueuedAt": LATER[0]}
    batch = [message(n, id=identity, battery=0.9 - n / 10, **same) for n, identity in enumerate("zxy")]
    assert values(state_of(batch)) == {"battery": 0.9 - 2 / 10}
    array = [message(0, id=identity, index=n, battery=0.9 - n / 10, **same) for n, identity in enumerate("zx")]
    assert values(state_of(array)) == {"battery": 0.9 - 1 / 10}


def test_an_older_message_fills_only_what_is_unknown() -> None:
    newer = message(2, battery=0.4)
    older = message(1, battery=0.9, position={"latitude": 1.0})
    state = state_of([newer, older])
    assert state["layers"] == [
        [MICROS[2], 60_000_000, 2, 0, "m2", {"battery": 0.4}],
        [MICROS[1], 60_000_000, 1, 0, "m1", {"latitude": 1.0}],
    ]


def test_parts_of_a_group_are_merged_one_by_one() -> None:
    state = state_of([message(0, health={"gyrometer": True}), message(1, health={"magnetometer": False})])
    assert values(state) == {"gyrometer": True, "magnetometer": False}


def test_a_position_without_height_keeps_what_was_known_of_it() -> None:
    high = {"zones": [], "noFly": False, "outsideGeofence": False, "altitudeLimitExceeded": True}
    low = {"zones": ["a"], "noFly": False, "outsideGeofence": False}
    known = registers(state_of([message(0, derived=high), message(1, derived=low)]))
    assert known["altitudeLimitExceeded"] == (True, TIMES[0])
    assert known["derived"] == (low, TIMES[1])


def test_a_height_that_nobody_can_judge_is_known_to_be_unknown() -> None:
    high = {"zones": [], "noFly": False, "outsideGeofence": False, "altitudeLimitExceeded": True}
    known = registers(state_of([message(0, derived=high), message(1, derived={**high, "altitudeLimitExceeded": None})]))
    assert known["altitudeLimitExceeded"] == (None, TIMES[1])


def test_a_reference_goes_with_its_altitude() -> None:
    over_sea = message(0, position={"altitude": 488.0, "altitudeReference": "msl"})
    unsaid = message(1, position={"altitude": 5.0})
    alone = message(2, position={"altitudeReference": "wgs84"})
    assert values(state_of([over_sea, alone])) == {"altitude": 488.0, "altitudeReference": "msl"}
    assert values(state_of([over_sea, unsaid])) == {"altitude": 5.0, "altitudeReference": None}


def test_fields_stand_in_one_order_whatever_came_first() -> None:
    state = state_of([message(0, position={"longitude": 2.0, "latitude": 1.0}, heading=1.0, battery=0.5)])
    assert list(state["layers"][0][5]) == ["battery", "heading", "latitude", "longitude"]


def test_a_store_may_hand_keys_back_in_another_order() -> None:
    derived = {"zones": ["a"], "noFly": False, "outsideGeofence": False, "distanceFromHome": 1.5}
    forth, back = (
        state_of([message(0, derived=dict(order))]) for order in (derived.items(), reversed(derived.items()))
    )
    assert json.dumps(forth) == json.dumps(back)


def test_one_state_per_drone() -> None:
    states = merge_messages([message(0, battery=0.1), {**message(1, battery=0.2), "deviceId": "drone-2"}])
    assert {device: values(state)["battery"] for device, state in states.items()} == {"drone-1": 0.1, "drone-2": 0.2}
    assert merge_messages([]) == {}


def test_merging_changes_neither_side() -> None:
    a, b = state_of([message(0, battery=0.1)]), state_of([message(1, battery=0.2, heading=5.0)])
    before = json.dumps([a, b])
    reduce(merge, [a, b, a])
    assert json.dumps([a, b]) == before


def test_states_of_two_drones_are_not_merged() -> None:
    a = state_of([message(0)])
    with pytest.raises(ValueError, match="drone-2"):
        merge(a, {**a, "id": "drone-2"})


def test_a_state_is_small_even_when_each_field_came_with_another_message() -> None:
    said: list[dict[str, Any]] = [
        {"battery": 0.123456789012},
        {"flightModeNumber": 3},
        {"position": {"latitude": 47.476075123456}},
        {"position": {"longitude": -122.192026123456}},
        {"position": {"altitude": 1234.123456789}},
        {"position": {"height": 123.123456789}},
        {"health": {"gyrometer": True}},
        {"health": {"accelerometer": False}},
        {"health": {"magnetometer": True}},
        {"groundSpeed": 12.123456789012},
        {"heading": 271.123456789},
        {"verticalSpeed": -1.123456789012},
        {"signal": 0.123456789012},
        {"mission": "m" * 64},
        {
            "derived": {
                "zones": ["airport-north", "city-fence"],
                "noFly": True,
                "outsideGeofence": False,
                "distanceFromHome": 12345.123,
            }
        },
        {"derived": {"zones": [], "noFly": False, "outsideGeofence": False, "altitudeLimitExceeded": False}},
    ]
    messages = [
        {
            **message(0, alerts=[], **fields),
            "deviceId": "d" * 64,
            "id": "d" + "0123456789abcdef" * 2,
            "time": f"2026-03-01T12:00:{59 - number:02d}.123456Z",
            "enqueuedAt": f"2026-03-01T12:01:{59 - number:02d}.123456Z",
            "sequenceNumber": 1_234_567_890 + number,
            "index": 99,
        }
        for number, fields in enumerate(said)
    ]
    (state,) = merge_messages(cast(Any, messages)).values()
    assert len(state["layers"]) == 16
    assert len(canonical(state)) <= 2048
