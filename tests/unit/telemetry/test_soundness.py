"""What passes as a state can be shown and merged; what the pipeline makes passes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.merge import merge
from telemetry.rules import Rules
from telemetry.soundness import check_state
from telemetry.view import drone_view, etag, status_v1
from tests.support import states
from tests.support.old_states import old_state

FULL = states.state(
    "d",
    battery=0.1,
    flightMode=6,
    position={"latitude": 10.5, "longitude": 10.25, "altitude": 100, "height": 5, "altitudeReference": "msl"},
    health={"gyrometer": True, "accelerometer": False, "magnetometer": True},
    groundSpeed=12.5,
    heading=270,
    verticalSpeed=-1,
    signal=0.5,
    mission="m",
)
JUNK: Any = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5),
    st.just([]), st.just({}), st.just([[1, 2, 3, 4, "x", {}]]),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        found += places(part, (*path, key))
    return found


PLACES = places(json.loads(json.dumps(FULL)))


def shown(state: Any) -> None:
    view = drone_view(state, state["lastSeen"], Rules(), None)
    etag(state, view)
    status_v1(state)
    json.dumps(view, allow_nan=True)
    state["id"] = "d"
    merge(copy.deepcopy(FULL), state)


def test_what_messages_make_is_sound() -> None:
    check_state(FULL)
    check_state(states.state("d", battery=1))
    check_state(states.state("d", position={"latitude": 50, "longitude": 50}))
    check_state(merge(FULL, states.state("d", battery=1, enqueued_at="2026-01-03T00:00:00.000000Z")))


@settings(max_examples=400)
@given(st.sampled_from(PLACES), JUNK, st.booleans())
def test_what_passes_can_be_shown_and_merged(path: tuple[Any, ...], junk: Any, gone: bool) -> None:
    state: Any = json.loads(json.dumps(FULL))
    owner = state
    for key in path[:-1]:
        owner = owner[key]
    if gone:
        del owner[path[-1]]
    else:
        owner[path[-1]] = junk
    try:
        check_state(state)
    except Exception:
        return
    shown(state)


@pytest.mark.parametrize("state", [None, 5, "x", [], {}, {"id": "d"}, {"id": "d", "registers": {}}])
def test_what_is_no_state(state: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError, IndexError)):
        check_state(state)


def test_a_state_of_the_version_before_is_one() -> None:
    old = old_state(
        states.validated(states.telemetry("d", battery=0.5, position={"latitude": 1, "longitude": 2})).messages
    )
    assert "registers" in old
    check_state(old)
    check_state(merge(old, FULL))
    check_state(merge(None, old))
