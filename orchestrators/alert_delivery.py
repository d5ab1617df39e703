"""Brings one notice to one receiver: tries, waits longer each time, and gives up visibly when its time is over.

Every receiver of every notice has an instance of its own, so that none waits for another.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from pipeline.alerts.steps import SEND

blueprint = df.Blueprint()

TRIES = 10
"""In one generation: after that the history begins anew."""
FAILED_SECONDS = 5.0
"""The pause after a try that could not be made: the store is away."""


@blueprint.orchestration_trigger(context_name="context")
def alert_delivery(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Input ``{"alertId", "kind", "receiver", "round", "tries"}``, output ``{"delivered", "tries"}``."""
    notice = dict(context.get_input())
    for _ in range(TRIES):
        # 1. Try it once.
        try:
            sent = yield context.call_activity(SEND, dict(notice))
        except Exception:
            sent = {"done": False, "delivered": False, "retryIn": FAILED_SECONDS, "tries": notice["tries"]}
        notice["tries"] = sent["tries"]
        if sent["done"]:
            return {"delivered": sent["delivered"], "tries": sent["tries"]}

        # 2. Wait, longer each time.
        context.set_custom_status({"tries": sent["tries"], "retryIn": sent["retryIn"]})
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=sent["retryIn"]))
    context.continue_as_new(notice)
    return None
