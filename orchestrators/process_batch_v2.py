"""One batch from its raw bytes to the drones' states, in steps that may each run again.

The history holds references and counts only, so it has the same few kilobytes whatever the batch holds. A step answers
``{"current": false}`` when another attempt has taken the batch over; the instance then ends without effect.

Whoever changes the order, the names or the inputs of the steps changes what old histories replay to: see
tests/replay_gate/README.md first.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import azure.durable_functions as df

from durable_sdk import reason_of
from pipeline.steps import FAIL, FINISH, STORE, Step

blueprint = df.Blueprint()

# A store that is away for some seconds is waited for; after that the batch waits for a person, and harms no other.
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=2000, max_number_of_attempts=5)

Steps = Generator[Any, Any, dict[str, Any]]


class BatchFailed(Exception):
    """Ends the instance as Failed; the text is what the Durable status API shows."""


class _Superseded(Exception):
    """Another attempt has taken the batch over."""


@blueprint.orchestration_trigger(context_name="context")
def process_batch_v2(context: df.DurableOrchestrationContext) -> Steps:
    """Input ``{"batchId"}``, output ``{"batchId", "current", "counts", "drones"}``, status ``{"stage", "counts"}``."""
    batch = {"batchId": context.get_input()["batchId"], "instanceId": context.instance_id}
    try:
        result = yield from _run(context, batch)
    except _Superseded:
        return {"batchId": batch["batchId"], "current": False, "counts": None, "drones": 0}
    return {"batchId": batch["batchId"], "current": True, **result}


def _run(context: df.DurableOrchestrationContext, batch: Mapping[str, Any]) -> Steps:
    status: dict[str, Any] = {"stage": None, "counts": None}
    try:
        # 1. Decode the raw bytes, judge every message, keep what is good and what is not, and count.
        stored = yield from _step(context, status, STORE, batch)
        status["counts"] = counts = stored["counts"]

        # 2. Bring each drone up to date, and close the ledger's line.
        yield from _step(context, status, FINISH, {**batch, "counts": counts})
    except _Superseded:
        raise
    except Exception as error:
        # 3. A person decides about a failed batch: the ledger says where it stopped, and why.
        failure = {**batch, "stage": status["stage"], "error": reason_of(error)}
        yield from _call(context, FAIL, failure)
        raise BatchFailed(f"batch failed at stage {failure['stage']}: {failure['error']}") from None
    context.set_custom_status({**status, "stage": "completed"})
    return {"counts": counts, "drones": stored["drones"]}


def _step(
    context: df.DurableOrchestrationContext, status: dict[str, Any], step: Step, reference: Mapping[str, Any]
) -> Steps:
    status["stage"] = step.stage
    context.set_custom_status(dict(status))
    return (yield from _call(context, step, reference))


def _call(context: df.DurableOrchestrationContext, step: Step, reference: Mapping[str, Any]) -> Steps:
    result: dict[str, Any] = yield context.call_activity_with_retry(step.activity, RETRY, dict(reference))
    if not result["current"]:
        raise _Superseded
    return result
