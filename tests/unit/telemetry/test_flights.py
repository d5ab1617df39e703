"""A flight's beginning, end and figures, rule by rule; and that folding in parts is folding at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry import times
from telemetry.flights import Flight, FlightRules, device_of, flight_id, fold, not_flying, says_mode, show, stamp_of
from telemetry.model import Message
from tests.support.flown import START, said

RULES = FlightRules()


def flights(*messages: Message) -> list[Flight]:
    """All of them, the open one last."""
    ordered = sorted(messages, key=stamp_of)
    state, ended = fold(not_flying(), ordered, any(map(says_mode, ordered)), RULES)
    return ended + ([state["flight"]] if state["flight"] is not None else [])


def spans(*messages: Message) -> list[tuple[float, float, bool]]:
    return [
        (times.seconds_between(START, f["startedAt"]), times.seconds_between(START, f["lastAt"]), f["ended"])
        for f in flights(*messages)
    ]


def test_from_takeoff_to_the_last_message_before_ready() -> None:
    modes = ["ready", "takeoff", "inflight", "inflight", "landing", "ready", "ready"]
    assert spans(*(said(n, flightMode=mode) for n, mode in enumerate(modes))) == [(1, 4, True)]


@pytest.mark.parametrize("mode", ["takeoff", "inflight"])
def test_it_begins_in_either_mode_and_landing_alone_begins_none(mode: str) -> None:
    assert spans(said(0, flightMode="landing"), said(1, flightMode=mode)) == [(1, 1, False)]


@pytest.mark.parametrize("mode", ["ready", "offline"])
def test_it_ends_before_ready_and_offline(mode: str) -> None:
    assert spans(said(0, flightMode="inflight"), said(1, flightMode=mode)) == [(0, 0, True)]


def test_a_message_without_a_mode_continues_what_was_before_it() -> None:
    assert spans(said(0, flightMode="ready"), said(1, battery=0.5), said(2, flightMode="inflight"), said(3)) == [
        (2, 3, False)
    ]
    assert spans(said(0, flightMode="inflight"), said(1, flightMode="unknown"), said(2, flightMode="ready")) == [
        (0, 1, True)
    ]


def test_a_silence_ends_it_and_a_message_without_a_mode_starts_none_after_it() -> None:
    assert spans(said(0, flightMode="inflight"), said(300), said(600.001), said(601)) == [(0, 300, True)]
    assert spans(said(0, flightMode="inflight"), said(300.001, flightMode="inflight")) == [
        (0, 0, True),
        (300.001, 300.001, False),
    ]


def test_a_drone_that_never_says_a_mode_flies_while_it_moves() -> None:
    assert spans(said(0, groundSpeed=0.9), said(1, groundSpeed=1.0), said(2, battery=1.0)) == [(1, 2, False)]
    assert spans(said(0, position={"height": 1.9}), said(1, position={"height": 2.0})) == [(1, 1, False)]
    # One mode in its whole life, and motion counts no more.
    assert spans(said(0, groundSpeed=9.0), said(500, flightMode="ready")) == []


def test_a_pause_of_thirty_seconds_belongs_to_it_a_longer_one_ends_it() -> None:
    still = [said(n, groundSpeed=0.0) for n in range(1, 30)]
    assert spans(said(0, groundSpeed=5.0), *still, said(30, groundSpeed=5.0)) == [(0, 30, False)]
    assert flights(said(0, groundSpeed=5.0), *still, said(30, groundSpeed=5.0))[0]["messages"] == 31
    longer = [said(n, groundSpeed=0.0) for n in range(1, 32)]
    assert spans(said(0, groundSpeed=5.0), *longer, said(40, groundSpeed=5.0)) == [(0, 0, True), (40, 40, False)]
    assert flights(said(0, groundSpeed=5.0), *longer)[0]["messages"] == 1


def test_its_figures() -> None:
    north = 1 / 60 / 1.852  # about a kilometre
    [flight] = flights(
        said(0, flightMode="takeoff", battery=0.9, position={"latitude": 47.0, "longitude": 8.0, "height": 1.0}),
        said(1, alerts=[{"code": "low_battery", "at": START}], groundSpeed=12.0, mission="m-1"),
        said(2, battery=0.8, position={"latitude": 47.0 + north, "longitude": 8.0, "altitude": 500.0}),
        said(3, position={"height": 61.0}, groundSpeed=3.0),
        said(4, flightMode="ready", battery=0.1),
    )
    shown = show(flight, times.add_seconds(START, 10), RULES)
    assert shown["distanceMetres"] == pytest.approx(1000, rel=0.01)
    assert shown["durationSeconds"] == 3
    assert (shown["batteryStart"], shown["batteryEnd"]) == (0.9, 0.8)
    assert (shown["maxHeight"], shown["maxAltitude"], shown["maxGroundSpeed"]) == (61.0, 500.0, 12.0)
    assert shown["takeoff"] == {"latitude": 47.0, "longitude": 8.0, "height": 1.0}
    assert shown["landing"] == {"latitude": 47.0 + north, "longitude": 8.0, "altitude": 500.0}
    assert (shown["messages"], shown["alerts"], shown["mission"]) == (4, ["low_battery"], "m-1")
    assert shown["status"] == "ended"


def test_an_ongoing_flight_has_no_end_until_its_silence_is_long_enough() -> None:
    [flight] = flights(said(0, flightMode="inflight", position={"latitude": 1.0, "longitude": 2.0}))
    ongoing = show(flight, times.add_seconds(START, 300), RULES)
    assert (ongoing["status"], ongoing["endedAt"], ongoing["landing"]) == ("ongoing", None, None)
    silent = show(flight, times.add_seconds(START, 300.001), RULES)
    assert (silent["status"], silent["endedAt"]) == ("ended", START)
    assert silent["landing"] == {"latitude": 1.0, "longitude": 2.0}


def test_two_flights_that_begin_at_one_time_have_two_ids() -> None:
    first, second = said(0, flightMode="takeoff"), {**said(0, flightMode="takeoff"), "id": "d" + "1" * 20}
    assert flight_id(first) != flight_id(second)  # type: ignore[arg-type]
    assert device_of(flight_id(first)) == "d"
    assert device_of("nonsense") is None


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 20, 40, 301]),
        st.sampled_from([None, None, "ready", "takeoff", "inflight", "landing", "offline"]),
        st.sampled_from([None, 0.0, 5.0]),
    ),
    max_size=40,
)


@given(MESSAGES, st.lists(st.integers(0, 40), max_size=6), st.booleans())
def test_folding_in_parts_is_folding_at_once(
    steps: list[tuple[int, str | None, float | None]], cuts: list[int], modes: bool
) -> None:
    second, messages = 0.0, []
    for wait, mode, speed in steps:
        second += wait
        fields: dict[str, Any] = {} if speed is None else {"groundSpeed": speed}
        if mode is not None and modes:
            fields["flightMode"] = mode
        messages.append(said(second, position={"latitude": second / 1e4, "longitude": 0.0}, **fields))
    by_mode = any(map(says_mode, messages))
    whole = fold(not_flying(), messages, by_mode, RULES)
    state, ended = not_flying(), []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(messages)], strict=True):
        state, more = fold(state, messages[start:end], by_mode, RULES)
        ended += more
    assert (state, ended) == whole
