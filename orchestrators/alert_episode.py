"""One alert from the moment it is raised until it is cleared: tells those who want to know, and waits.

What has happened stands in the store; events only say that it is time to read it. So an instance that is started again
goes on where the one before it ended, and tells nothing twice.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from pipeline.alerts.instances import ACKNOWLEDGED, CLEARED
from pipeline.alerts.steps import ESCALATE, TELL

blueprint = df.Blueprint()

# A store that is away for a minute or two is waited for; after that the monitor starts the episode again.
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=2000, max_number_of_attempts=60)

Steps = Generator[Any, Any, Any]


@blueprint.orchestration_trigger(context_name="context")
def alert_episode(context: df.DurableOrchestrationContext) -> Steps:
    """Input ``{"alertId"}``; status ``{"stage"}``: raised, escalated, acknowledged, cleared."""
    alert = {"alertId": context.get_input()["alertId"]}

    # 1. Tell that it was raised.
    told = yield context.call_activity_with_retry(TELL, RETRY, alert)
    cleared = context.wait_for_external_event(CLEARED)
    acknowledged = context.wait_for_external_event(ACKNOWLEDGED)

    # 2. Wait for somebody to take it up, or escalate it.
    if told["open"] and not told["acknowledged"]:
        context.set_custom_status({"stage": told["stage"]})
        if told["escalateIn"] is not None:
            timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=told["escalateIn"]))
            first = yield context.task_any([cleared, acknowledged, timer])
            if first == timer:
                told = yield context.call_activity_with_retry(ESCALATE, RETRY, alert)
            else:
                timer.cancel()
                told = yield context.call_activity_with_retry(TELL, RETRY, alert)
        if told["open"] and not told["acknowledged"]:
            context.set_custom_status({"stage": told["stage"]})
            yield context.task_any([cleared, acknowledged])
            told = yield context.call_activity_with_retry(TELL, RETRY, alert)

    # 3. Wait until it is cleared, and tell that.
    if told["open"]:
        context.set_custom_status({"stage": told["stage"]})
        yield cleared
        told = yield context.call_activity_with_retry(TELL, RETRY, alert)
    context.set_custom_status({"stage": told["stage"]})
    return {"alertId": alert["alertId"], "stage": told["stage"]}
