from __future__ import annotations

import json
import random
from functools import reduce
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.merge import REGISTERS, canonical, from_message, merge, merge_messages
from telemetry.model import DroneState, Message

# Few values on purpose: equal times, equal ids and repeated deliveries must meet often.
TIMES = [f"2026-03-01T12:00:0{second}.000000Z" for second in range(4)]
LATER = [f"2026-03-01T13:00:0{second}.000000Z" for second in range(4)]
parts = {
    "battery": st.sampled_from([0.0, 0.5, 1.0]),
    "flightModeNumber": st.integers(0, 6),
    "position": st.fixed_dictionaries(
        {},
        optional={
            "latitude": st.floats(-90, 90),
            "longitude": st.sampled_from([-122.0, 8.5]),
            "altitude": st.sampled_from([0.0, 80.0]),
        },
    ),
    "health": st.fixed_dictionaries(
        {}, optional={name: st.booleans() for name in ("gyrometer", "accelerometer", "magnetometer")}
    ),
    "groundSpeed": st.floats(0, 50),
    "heading": st.floats(0, 359),
    "derived": st.fixed_dictionaries(
        {"zones": st.sampled_from([[], ["a"], ["a", "b"]]), "noFly": st.booleans(), "outsideGeofence": st.booleans()},
        optional={"distanceFromHome": st.sampled_from([1.5, 20.0]), "altitudeLimitExceeded": st.booleans()},
    ),
}


@st.composite
def deliveries(draw: st.DrawFn) -> list[Message]:
    """Deliveries of some messages of one drone, several of one message included."""
    contents = draw(st.lists(st.fixed_dictionaries({}, optional=parts), min_size=1, max_size=5))
    messages: list[Any] = []
    for number, content in enumerate(contents):
        time = draw(st.sampled_from(TIMES))
        for _ in range(draw(st.integers(1, 3))):
            messages.append(
                {
                    **content,
                    "id": f"m{number}",
                    "deviceId": "drone-1",
                    "time": time,
                    "enqueuedAt": draw(st.sampled_from(LATER)),
                    "partition": draw(st.sampled_from(["0", "1"])),
                    "sequenceNumber": draw(st.integers(0, 3)),
                    "index": draw(st.integers(0, 2)),
                }
            )
    return messages


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
    x, y, z = (state_of(messages) for messages in (a, b, c))
    assert json.dumps(merge(x, y)) == json.dumps(merge(y, x))
    assert json.dumps(merge(x, merge(y, z))) == json.dumps(merge(merge(x, y), z))
    assert json.dumps(merge(x, x)) == json.dumps(x) == json.dumps(merge(None, x))
    assert json.dumps(merge(merge(x, y), y)) == json.dumps(merge(x, y))


@given(deliveries())
def test_agrees_with_the_definition(messages: list[Message]) -> None:
    """Against a model that says it directly: per field the value of the message with the largest stamp."""
    state = state_of(messages)
    patches = [from_message(message) for message in messages]
    for name in REGISTERS:
        known = [patch["registers"][name] for patch in patches if name in patch["registers"]]
        if known:
            latest = max((time, identity) for _, time, identity in known)
            value, *stamp = state["registers"][name]
            assert tuple(stamp) == latest
            assert value in [entry[0] for entry in known if tuple(entry[1:]) == latest]
        else:
            assert name not in state["registers"]
    assert state["lastSeen"] == max(m["enqueuedAt"] for m in messages)
    top = max((m["time"], m["id"]) for m in messages)
    first = min(
        (m["enqueuedAt"], m["partition"], m["sequenceNumber"], m["index"])
        for m in messages
        if (m["time"], m["id"]) == top
    )
    assert state["last"] == [*top, *first]


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


def test_an_older_message_fills_only_what_is_unknown() -> None:
    newer = message(2, battery=0.4)
    older = message(1, battery=0.9, position={"latitude": 1.0})
    state = state_of([newer, older])
    assert state["registers"] == {
        "battery": [0.4, TIMES[2], "m2"],
        "latitude": [1.0, TIMES[1], "m1"],
    }


def test_parts_of_a_group_are_merged_one_by_one() -> None:
    state = state_of([message(0, health={"gyrometer": True}), message(1, health={"magnetometer": False})])
    assert {name: entry[0] for name, entry in state["registers"].items()} == {"gyrometer": True, "magnetometer": False}


def test_a_position_without_altitude_keeps_what_was_known_of_the_height() -> None:
    high = {"zones": [], "noFly": False, "outsideGeofence": False, "altitudeLimitExceeded": True}
    low = {"zones": ["a"], "noFly": False, "outsideGeofence": False}
    registers = state_of([message(0, derived=high), message(1, derived=low)])["registers"]
    assert registers["altitudeLimitExceeded"] == [True, TIMES[0], "m0"]
    assert registers["derived"] == [low, TIMES[1], "m1"]


def test_registers_stand_in_one_order_whatever_came_first() -> None:
    state = state_of([message(0, heading=1.0), message(1, battery=0.5)])
    assert list(state["registers"]) == ["battery", "heading"]


def test_a_store_may_hand_keys_back_in_another_order() -> None:
    derived = {"zones": ["a"], "noFly": False, "outsideGeofence": False, "distanceFromHome": 1.5}
    forth, back = (
        state_of([message(0, derived=dict(order))]) for order in (derived.items(), reversed(derived.items()))
    )
    assert json.dumps(forth) == json.dumps(back)


def test_one_state_per_drone() -> None:
    states = merge_messages([message(0, battery=0.1), {**message(1, battery=0.2), "deviceId": "drone-2"}])
    assert {device: state["registers"]["battery"][0] for device, state in states.items()} == {
        "drone-1": 0.1,
        "drone-2": 0.2,
    }
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
