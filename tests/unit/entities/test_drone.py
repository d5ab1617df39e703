"""The entity through the SDK's own ``Entity.handle``."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from telemetry.merge import canonical, registers
from tests.support.engine import ENTITY, signal_text
from tests.support.states import patch as state


def handle(signals: list[tuple[str, Any]], stored: str | None = None, key: str = "drone-1") -> dict[str, Any]:
    batch = [
        {"name": name, "input": None if value is None else signal_text(value), "isSignal": True, "id": str(i)}
        for i, (name, value) in enumerate(signals)
    ]
    context = {"self": {"name": "drone", "key": key}, "exists": stored is not None, "state": stored, "batch": batch}
    answer: dict[str, Any] = json.loads(ENTITY(json.dumps(context)))
    return answer


def test_the_first_signal_makes_the_drone() -> None:
    answer = handle([("merge", state(1, battery=0.5))])
    assert answer["entityExists"] is True
    assert json.loads(answer["entityState"]) == state(1, battery=0.5)
    assert answer["results"][0]["isError"] is False
    assert answer["results"][0]["result"] == "null"


def test_any_order_and_repetition_gives_the_same_bytes() -> None:
    patches = [state(1, battery=0.9), state(2, heading=10.0), state(3, battery=0.4)]
    seen = set()
    for order in itertools.permutations([*patches, patches[0]]):
        answer = handle([("merge", patch) for patch in order])
        seen.add(answer["entityState"])
        seen.add(handle([("merge", patch) for patch in order], stored=answer["entityState"])["entityState"])
    assert len(seen) == 1
    merged = json.loads(seen.pop())
    assert registers(merged)["battery"][0] == 0.4
    assert canonical(merged)


def test_a_signal_that_cannot_be_merged_changes_nothing_and_harms_no_other() -> None:
    good = state(1, battery=0.5)
    answer = handle(
        [
            ("merge", good),
            ("merge", None),
            ("merge", {"id": "drone-1"}),
            ("merge", {**good, "id": "drone-2"}),
            ("reset", good),
            ("merge", state(2, battery=0.25)),
        ]
    )
    assert [result["isError"] for result in answer["results"]] == [False, True, True, True, True, False]
    assert registers(json.loads(answer["entityState"]))["battery"][0] == 0.25


def test_a_first_signal_that_fails_makes_no_drone() -> None:
    answer = handle([("reset", None), ("merge", None)])
    assert answer["entityExists"] is False


GOOD = state(1, battery=0.5, flightMode="inflight", flightModeNumber=3)
STAMP = GOOD["layers"][0][:5]
NO_STATES: list[Any] = [
    {"id": "drone-1"},
    "drone-1",
    [],
    {**GOOD, "layers": None},
    {**GOOD, "layers": [0.5]},
    {**GOOD, "layers": [[*STAMP, {"battery": "full"}]]},
    {**GOOD, "layers": [[None, *STAMP[1:], {"battery": 0.5}]]},
    {**GOOD, "layers": [[*STAMP, {"flightMode": {}}]]},
    {**GOOD, "layers": [[*STAMP, {"derived": 5}]]},
    {**GOOD, "layers": [[*STAMP, {"heading": "north"}]]},
    {**GOOD, "layers": [[*STAMP, {"heading": True}]]},
    {**GOOD, "layers": [[*STAMP, {"mission": 5}]]},
    {**GOOD, "layers": [[*STAMP, {"gyrometer": 1}]]},
    {**GOOD, "layers": [[*STAMP, {"altitudeReference": {}}]]},
    {**GOOD, "seen": []},
    {**GOOD, "clear": None},
    {**GOOD, "lastSeen": "yesterday"},
    {**GOOD, "lastSeen": None},
    {**GOOD, "last": []},
    {name: value for name, value in GOOD.items() if name != "last"},
]


@pytest.mark.parametrize("patch", NO_STATES)
def test_what_is_no_state_is_refused(patch: Any) -> None:
    answer = handle([("merge", patch)])
    assert answer["results"][0]["isError"] is True
    assert answer["entityExists"] is False
    answer = handle([("merge", patch), ("merge", GOOD)], stored=json.dumps(GOOD))
    assert json.loads(answer["entityState"]) == GOOD


@pytest.mark.parametrize("stored", NO_STATES)
def test_a_stored_state_that_is_none_gives_way(stored: Any) -> None:
    answer = handle([("merge", GOOD)], stored=json.dumps(stored))
    assert answer["results"][0]["isError"] is False
    assert json.loads(answer["entityState"]) == GOOD


def test_line_breaks_in_keys_and_operations_forge_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    handle([("a\r\nb", GOOD)], key="x\r\ny\u2028z")
    assert len(caplog.records) == 1
    assert len(caplog.records[0].getMessage().splitlines()) == 1
