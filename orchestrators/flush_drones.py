"""The end of a signal window of one partition: see ``pipeline.windows``.

Whoever changes what happens here changes what old histories replay to: see tests/replay_gate/README.md first.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from pipeline.windows import FLUSH_ACTIVITY

blueprint = df.Blueprint()

RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=2000, max_number_of_attempts=5)
MOST_ROUNDS = 50
"""What is left after them is the next window's, or the sweeper's."""


@blueprint.orchestration_trigger(context_name="context")
def flush_drones(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, int]]:
    """Input ``pipeline.windows.Window``, output ``{"batches", "drones"}``: how many of each it told."""
    window = context.get_input()

    # 1. Let the window's batches gather.
    if window["seconds"] > 0:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=window["seconds"]))

    # 2. Tell each drone once what they all say, portion by portion.
    told = {"batches": 0, "drones": 0}
    for _ in range(MOST_ROUNDS):
        flushed = yield context.call_activity_with_retry(FLUSH_ACTIVITY, RETRY, window)
        told = {"batches": told["batches"] + flushed["batches"], "drones": told["drones"] + flushed["drones"]}
        if not flushed["more"]:
            break
    return told
