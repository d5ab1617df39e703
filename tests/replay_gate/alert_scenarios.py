"""The lives of the alerts' instances that are recorded: every way through each of their orchestrators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.alerts.instances import ACKNOWLEDGED, CHANGED, CLEARED, MONITOR_ID
from pipeline.alerts.steps import ESCALATE, LOOK, SEND, TELL
from tests.replay_gate.gate import handle_of
from tests.support.one_orchestrator import Played, play

ALERT = "drone-7~low_battery~1"
FOR_EVER = 1000

RAISED = {"open": True, "acknowledged": False, "escalateIn": 300.0, "stage": "raised"}
ESCALATED = {"open": True, "acknowledged": False, "escalateIn": None, "stage": "escalated"}
TAKEN_UP = {"open": True, "acknowledged": True, "escalateIn": None, "stage": "acknowledged"}
OVER = {"open": False, "acknowledged": False, "escalateIn": None, "stage": "cleared"}
GONE = {"open": False, "acknowledged": False, "escalateIn": None, "stage": "gone"}


@dataclass(frozen=True)
class Scenario:
    """``answers``: what each call of an activity gives in turn, then the last of them; an exception is raised."""

    answers: dict[str, Sequence[Any]]
    events: Sequence[tuple[float, str]] = ()
    argument: dict[str, Any] = field(default_factory=dict)

    def activities(self) -> dict[str, Callable[[Any], Any]]:
        def activity(name: str) -> Callable[[Any], Any]:
            left = list(self.answers[name])

            def run(_: Any) -> Any:
                said = left.pop(0) if len(left) > 1 else left[0]
                if isinstance(said, Exception):
                    raise said
                return said

            return run

        return {name: activity(name) for name in self.answers}


AWAY = OSError("the store is away")
_EPISODE = {"alertId": ALERT}
_NOTICE = {"alertId": ALERT, "kind": "raised", "receiver": "2e0486681e", "round": 1, "tries": 0}


def _sent(tries: int, retry_in: float) -> dict[str, Any]:
    return {"done": False, "delivered": False, "retryIn": retry_in, "tries": tries}


def _done(tries: int, *, delivered: bool) -> dict[str, Any]:
    return {"done": True, "delivered": delivered, "retryIn": 0.0, "tries": tries}


SCENARIOS: dict[str, dict[str, Scenario]] = {
    "alert_monitor": {
        "the_first_look": Scenario({LOOK: [{"pause": 1.1}]}),
        "a_pause_comes_to_its_end": Scenario({LOOK: [{"pause": 60.0}]}, argument={"pause": 30.0}),
        "woken_from_its_pause": Scenario({LOOK: [{"pause": 60.0}]}, [(5, CHANGED)], {"pause": 30.0}),
        "woken_while_it_looks": Scenario({LOOK: [{"pause": 60.0}]}, [(0.001, CHANGED)], {"pause": 2.0}),
        "woken_twice": Scenario({LOOK: [{"pause": 60.0}]}, [(0.001, CHANGED), (0.002, CHANGED)], {"pause": 2.0}),
        "a_look_fails": Scenario({LOOK: [AWAY]}, argument={"pause": 2.0}),
    },
    "alert_episode": {
        "cleared": Scenario({TELL: [RAISED, OVER]}, [(20, CLEARED)], _EPISODE),
        "cleared_while_it_tells": Scenario({TELL: [RAISED, OVER]}, [(0.001, CLEARED)], _EPISODE),
        "over_before_it_begins": Scenario({TELL: [OVER]}, argument=_EPISODE),
        "purged": Scenario({TELL: [GONE]}, argument=_EPISODE),
        "acknowledged_and_cleared": Scenario(
            {TELL: [RAISED, TAKEN_UP, OVER]}, [(20, ACKNOWLEDGED), (60, CLEARED)], _EPISODE
        ),
        "both_at_once": Scenario({TELL: [RAISED, OVER]}, [(20, ACKNOWLEDGED), (20, CLEARED)], _EPISODE),
        "begun_again_when_taken_up": Scenario({TELL: [TAKEN_UP, OVER]}, [(60, CLEARED)], _EPISODE),
        "escalated_and_cleared": Scenario({TELL: [RAISED, OVER], ESCALATE: [ESCALATED]}, [(400, CLEARED)], _EPISODE),
        "escalated_acknowledged_and_cleared": Scenario(
            {TELL: [RAISED, TAKEN_UP, OVER], ESCALATE: [ESCALATED]}, [(350, ACKNOWLEDGED), (400, CLEARED)], _EPISODE
        ),
        "escalated_when_it_had_just_been_taken_up": Scenario(
            {TELL: [RAISED, OVER], ESCALATE: [TAKEN_UP]}, [(300.005, ACKNOWLEDGED), (400, CLEARED)], _EPISODE
        ),
        "begun_again_when_escalated": Scenario({TELL: [ESCALATED, OVER]}, [(60, CLEARED)], _EPISODE),
        "telling_is_retried": Scenario({TELL: [AWAY, AWAY, RAISED, AWAY, OVER]}, [(20, CLEARED)], _EPISODE),
        "telling_fails": Scenario({TELL: [AWAY]}, argument=_EPISODE),
    },
    "alert_delivery": {
        "delivered": Scenario({SEND: [_done(1, delivered=True)]}, argument=_NOTICE),
        "delivered_at_the_third_try": Scenario(
            {SEND: [_sent(1, 1.0), _sent(2, 2.1), _done(3, delivered=True)]}, argument=_NOTICE
        ),
        "given_up": Scenario({SEND: [_sent(1, 1.0), _done(2, delivered=False)]}, argument=_NOTICE),
        "a_try_cannot_be_made": Scenario({SEND: [AWAY, _done(1, delivered=True)]}, argument=_NOTICE),
        "a_new_generation": Scenario({SEND: [_sent(tries, 60.0) for tries in range(11, 31)]}, argument=_NOTICE),
    },
}

_IDS = {"alert_monitor": MONITOR_ID, "alert_episode": f"~alert~{ALERT}", "alert_delivery": "~notice~x~raised~r~1"}


def played(orchestrator: str, scenario: str, handle: Callable[[str], str] | None = None) -> Played:
    one = SCENARIOS[orchestrator][scenario]
    function = handle or handle_of(orchestrator)
    return play(function, orchestrator, _IDS[orchestrator], one.argument, one.activities(), one.events)
