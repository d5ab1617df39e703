"""What of a drone's news cannot wait."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.merge import merge
from telemetry.model import DroneState
from telemetry.rules import Rules
from telemetry.urgency import essence, signs, with_news
from tests.support import states

RULES = Rules()
CALM: dict[str, Any] = {
    "battery": 0.9,
    "flightMode": "inflight",
    "position": {"latitude": 47.5, "longitude": -122.2, "altitude": 50},
    "health": {"gyrometer": True, "accelerometer": True},
}


def state(second: int, number: int = 0, **fields: Any) -> DroneState:
    moment = f"2026-01-02T03:04:{second:02d}"
    return states.state(enqueued_at=f"{moment}.{number:06d}Z", timestamp=f"{moment}Z", **fields)


def is_urgent(news: DroneState, known: DroneState | None) -> bool:
    return with_news(None if known is None else essence(known), news, RULES)[0]


def test_a_drone_that_was_never_seen_cannot_wait() -> None:
    assert is_urgent(state(1, battery=0.9), None)


@pytest.mark.parametrize(
    "fields",
    [
        {"battery": 0.19},
        {"flightMode": "landing"},
        {"flightMode": 9},
        {"health": {"gyrometer": False}},
        {"position": {"latitude": 47.5, "longitude": -122.2, "altitude": 500}},
    ],
)
def test_a_condition_that_begins_or_ends_and_another_mode_cannot_wait(fields: dict[str, Any]) -> None:
    before, change, after = state(1, **CALM), state(2, **fields), state(3, **CALM)
    assert is_urgent(change, before)
    assert is_urgent(after, merge(before, change))
    assert not is_urgent(state(3, **fields), merge(before, change)), "it is known already"


@pytest.mark.parametrize(
    "fields",
    [
        {"battery": 0.5},
        {"groundSpeed": 12, "heading": 90},
        {"flightMode": "inflight"},
        {"position": {"latitude": 47.6, "longitude": -122.3, "altitude": 60}},
        {"health": {"magnetometer": True}},
        {},
    ],
)
def test_anything_else_can(fields: dict[str, Any]) -> None:
    assert not is_urgent(state(2, **fields), state(1, **CALM))


def test_what_comes_late_and_changes_nothing_that_is_shown_can_wait() -> None:
    assert not is_urgent(state(1, battery=0.1, flightMode="landing"), state(5, **CALM))


_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "battery": st.sampled_from([0.1, 0.9]),
        "flightMode": st.sampled_from(["ready", "inflight", "landing"]),
        "health": st.fixed_dictionaries({}, optional={"gyrometer": st.booleans(), "magnetometer": st.booleans()}),
        "groundSpeed": st.integers(0, 9),
    },
)


@given(st.lists(st.tuples(st.integers(0, 5), _FIELDS), min_size=1, max_size=6))
def test_the_essence_of_what_is_merged_is_the_essences_merged(said: list[tuple[int, dict[str, Any]]]) -> None:
    """So whoever keeps only essences knows the same signs as who keeps everything, in any order."""
    known: DroneState | None = None
    whole: DroneState | None = None
    for number, (second, fields) in enumerate(said):
        news = state(second, number, **fields)
        urgent, known = with_news(known, news, RULES)
        merged = merge(whole, news)
        assert urgent == (whole is None or signs(merged, RULES) != signs(whole, RULES))
        whole = merged
        assert signs(known, RULES) == signs(whole, RULES)
    assert whole is not None
    assert known == essence(whole)
