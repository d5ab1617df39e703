"""The table of steps, the registered activities and the orchestrator say the same names."""

from __future__ import annotations

from pipeline.alerts.steps import ALERT_STEPS
from pipeline.steps import FAIL, STEPS, STEPS_BEFORE
from pipeline.windows import FLUSH_ACTIVITY
from tests.support import registered


def test_each_step_is_an_activity_and_each_activity_a_step() -> None:
    triggers = {name: function.get_trigger().get_binding_name() for name, function in registered.functions().items()}
    activities = {name for name, trigger in triggers.items() if trigger == "activityTrigger"}
    steps = {step.activity for step in (*STEPS, *STEPS_BEFORE, FAIL)}
    others = {FLUSH_ACTIVITY, *ALERT_STEPS}
    assert steps == {name for name in activities if not name.startswith("BuiltIn")} - others
