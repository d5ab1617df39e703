"""The alerts' orchestrators: what they call, in which order, and for what they wait."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrators.alert_delivery import TRIES
from pipeline.alerts.steps import ESCALATE, LOOK, SEND, TELL
from tests.replay_gate.alert_scenarios import ALERT, SCENARIOS, played


def calls(scenario: str, orchestrator: str = "alert_episode") -> list[str]:
    return [name for name, _ in played(orchestrator, scenario).calls]


@pytest.mark.parametrize(
    ("scenario", "expected", "seconds"),
    [
        ("cleared", [TELL, TELL], 20),
        ("cleared_while_it_tells", [TELL, TELL], 0),
        ("over_before_it_begins", [TELL], 0),
        ("acknowledged_and_cleared", [TELL, TELL, TELL], 60),
        ("both_at_once", [TELL, TELL], 20),
        ("begun_again_when_taken_up", [TELL, TELL], 60),
        ("escalated_and_cleared", [TELL, ESCALATE, TELL], 400),
        ("escalated_acknowledged_and_cleared", [TELL, ESCALATE, TELL, TELL], 400),
        ("begun_again_when_escalated", [TELL, TELL], 60),
        ("telling_is_retried", [TELL] * 5, 22),
    ],
)
def test_an_episode_tells_at_every_turn_and_ends_when_it_is_cleared(
    scenario: str, expected: list[str], seconds: float
) -> None:
    result = played("alert_episode", scenario)
    assert [name for name, _ in result.calls] == expected
    assert all(argument == {"alertId": ALERT} for _, argument in result.calls)
    assert result.ended
    assert result.anew is None
    assert result.output["stage"] == "cleared"
    assert result.seconds == pytest.approx(seconds, abs=0.2)


def test_it_does_not_escalate_what_has_been_taken_up() -> None:
    assert ESCALATE not in calls("acknowledged_and_cleared")


def test_one_that_cannot_tell_fails_and_is_not_lost() -> None:
    result = played("alert_episode", "telling_fails")
    assert result.error is not None
    assert len(result.calls) == 60


@pytest.mark.parametrize(
    ("scenario", "pause", "seconds"),
    [
        ("the_first_look", 1.1, 1.1),
        ("a_pause_comes_to_its_end", 60.0, 60),
        ("woken_from_its_pause", 0.0, 5),
        ("woken_while_it_looks", 0.0, 0),
        ("woken_twice", 0.0, 0),
        ("a_look_fails", 5.0, 5),
    ],
)
def test_the_monitor_looks_pauses_and_begins_anew(scenario: str, pause: float, seconds: float) -> None:
    result = played("alert_monitor", scenario)
    assert [name for name, _ in result.calls] == [LOOK]
    assert (result.ended, result.anew) == (True, {"pause": pause})
    assert result.seconds == pytest.approx(seconds, abs=0.1)
    assert len(result.contexts) <= 4


def test_the_look_is_told_of_the_last_pause() -> None:
    assert played("alert_monitor", "a_pause_comes_to_its_end").calls == [(LOOK, {"pause": 30.0})]
    assert played("alert_monitor", "the_first_look").calls == [(LOOK, {"pause": 0.0})]


def test_a_delivery_tries_until_it_is_told_that_it_is_done() -> None:
    result = played("alert_delivery", "delivered_at_the_third_try")
    assert [(name, argument["tries"]) for name, argument in result.calls] == [(SEND, 0), (SEND, 1), (SEND, 2)]
    assert result.output == {"delivered": True, "tries": 3}
    assert result.seconds == pytest.approx(3.1, abs=0.1)
    assert played("alert_delivery", "given_up").output == {"delivered": False, "tries": 2}
    assert played("alert_delivery", "a_try_cannot_be_made").output == {"delivered": True, "tries": 1}


def test_after_some_tries_its_history_begins_anew() -> None:
    result = played("alert_delivery", "a_new_generation")
    assert len(result.calls) == TRIES
    expected: dict[str, Any] = {**SCENARIOS["alert_delivery"]["a_new_generation"].argument, "tries": 10 + TRIES}
    assert result.anew == expected
