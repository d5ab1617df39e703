"""The gate of the alerts' orchestrators: every way through them is recorded, as it was handed over."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from pipeline.alerts.instances import DELIVERY, EPISODE, MONITOR
from tests.replay_gate.alert_scenarios import SCENARIOS, played
from tests.replay_gate.gate import HISTORIES, divergences, prefixes, recordings
from tests.replay_gate.record_alerts import record

ALL = [(orchestrator, scenario) for orchestrator, some in SCENARIOS.items() for scenario in some]


def test_the_orchestrators_that_are_started_are_recorded() -> None:
    assert set(SCENARIOS) == {MONITOR, EPISODE, DELIVERY}
    for orchestrator, scenarios in SCENARIOS.items():
        assert {path.stem for path in (HISTORIES / orchestrator).glob("*.json")} == set(scenarios)


@pytest.mark.parametrize(("orchestrator", "scenario"), ALL)
def test_prefixes_are_what_was_handed_over(orchestrator: str, scenario: str) -> None:
    handed_over = [json.loads(text) for text in played(orchestrator, scenario).contexts]
    assert [json.loads(text) for text in prefixes(handed_over[-1])] == handed_over


Body = Callable[[Any], Generator[Any, Any, Any]]


def hasty(context: Any) -> Generator[Any, Any, Any]:
    """Waits for one event less."""
    told = yield context.call_activity_with_retry("tell_alert", df.RetryOptions(2000, 60), context.get_input())
    yield context.task_any(
        [context.wait_for_external_event("cleared"), context.create_timer(context.current_utc_datetime)]
    )
    return told


def deaf(context: Any) -> Generator[Any, Any, Any]:
    yield context.call_activity("look_at_alerts", {"pause": 0.0})


@pytest.mark.parametrize(("name", "body"), [("alert_episode/cleared", hasty), ("alert_monitor/the_first_look", deaf)])
def test_a_changed_orchestrator_does_not_pass(name: str, body: Body) -> None:
    found = divergences(df.Orchestrator.create(body), recordings()[name])
    assert any("actions" in line for line in found), found


def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    written = record("alert_delivery", tmp_path / "alert_delivery")
    assert {path.stem for path in written} == set(SCENARIOS["alert_delivery"])
    with pytest.raises(FileExistsError):
        record("alert_delivery", tmp_path / "alert_delivery")
