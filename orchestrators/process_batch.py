"""One batch from its raw bytes to the drones' states, in steps that may each run again.

The history holds references and counts only, so it has the same few kilobytes whatever the batch holds. A step answers
``{"current": false}`` when another attempt has taken the batch over; the instance then ends without effect.

Whoever changes the order, the names or the inputs of the steps changes what old histories replay to: see
tests/replay_gate/README.md first.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

blueprint = df.Blueprint()

# A store that is away for some seconds is waited for; after that the batch waits for a person, and harms no other.
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=2000, max_number_of_attempts=5)

Steps = Generator[Any, Any, dict[str, Any]]


class BatchFailed(Exception):
    """Ends the instance as Failed; the text is what the Durable status API shows."""


@blueprint.orchestration_trigger(context_name="context")
def process_batch(context: df.DurableOrchestrationContext) -> Steps:
    """Input ``{"batchId"}``, output ``{"batchId", "current", "counts", "drones"}``, status ``{"stage", "counts"}``."""
    batch = {"batchId": context.get_input()["batchId"], "instanceId": context.instance_id}
    status: dict[str, Any] = {"stage": None, "counts": None}
    try:
        # 1. Decode the raw bytes and judge every message.
        if not (yield from _step(context, status, "validate", "validate_batch", batch))["current"]:
            return _superseded(batch)

        # 2. Add what the registry and the zones know.
        if not (yield from _step(context, status, "enrich", "enrich_messages", batch))["current"]:
            return _superseded(batch)

        # 3. Keep the messages and the dead letters, and count them.
        stored = yield from _step(context, status, "store", "store_messages", batch)
        if not stored["current"]:
            return _superseded(batch)
        status["counts"] = counts = stored["counts"]

        # 4. Bring each drone up to date with one merged signal.
        updated = yield from _step(context, status, "update_drones", "update_drones", batch)
        if not updated["current"]:
            return _superseded(batch)

        # 5. Close the ledger's line.
        if not (yield from _step(context, status, "complete", "complete_batch", {**batch, "counts": counts}))[
            "current"
        ]:
            return _superseded(batch)
    except Exception as error:
        # 6. A person decides about a failed batch: the ledger says where it stopped, and why.
        failure = {**batch, "stage": status["stage"], "error": reason_of(error)}
        if not (yield context.call_activity_with_retry("fail_batch", RETRY, failure))["current"]:
            return _superseded(batch)
        raise BatchFailed(f"batch failed at stage {failure['stage']}: {failure['error']}") from None
    context.set_custom_status({**status, "stage": "completed"})
    return {"batchId": batch["batchId"], "current": True, "counts": counts, "drones": updated["drones"]}


def _step(
    context: df.DurableOrchestrationContext,
    status: dict[str, Any],
    stage: str,
    activity: str,
    reference: dict[str, Any],
) -> Steps:
    status["stage"] = stage
    context.set_custom_status(dict(status))
    result: dict[str, Any] = yield context.call_activity_with_retry(activity, RETRY, reference)
    return result


def _superseded(batch: dict[str, str]) -> dict[str, Any]:
    return {"batchId": batch["batchId"], "current": False, "counts": None, "drones": 0}


def reason_of(error: Exception) -> str:
    """What went wrong in an activity's own words, without the host's stack trace after them."""
    details = getattr(error, "details", None)
    if details is not None:  # Durable 2.x; its text around them has the instance's id once more
        return f"{details.error_type}: {details.message}".strip()[:1000]
    return str(error).partition(" \n ")[0].strip()[:1000]
