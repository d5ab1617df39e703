"""Looks at the drones again and again, indefinitely: the one instance that raises and clears alerts.

Every generation looks once and then pauses, for as long as the look has said, unless it is woken; so the history stays
as short as one look, however long the monitor lives. It waits for its event once a generation: an event that arrived
early would satisfy every later wait of the same one.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

import warnings
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from pipeline.alerts.instances import CHANGED
from pipeline.alerts.steps import LOOK

blueprint = df.Blueprint()

# The SDK warns of an event that comes before it is waited for, as the monitor's may.
warnings.filterwarnings("ignore", f"Potential duplicate Task completion for TaskId: {CHANGED}")

FAILED_SECONDS = 5.0
"""The pause after a look that failed: the store or the engine is away."""


@blueprint.orchestration_trigger(context_name="context")
def alert_monitor(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    """Input ``{"pause"}``, the seconds of the last pause (none to begin with)."""
    # 1. Look at what has changed.
    try:
        looked = yield context.call_activity(LOOK, {"pause": (context.get_input() or {}).get("pause", 0.0)})
        pause = looked["pause"]
    except Exception:
        pause = FAILED_SECONDS

    # 2. Pause, unless somebody has something new.
    context.set_custom_status({"pause": pause})
    woken = context.wait_for_external_event(CHANGED)
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=pause))
    first = yield context.task_any([woken, timer])
    if first == woken:
        timer.cancel()
        pause = 0.0

    # 3. Begin anew.
    context.continue_as_new({"pause": pause})
