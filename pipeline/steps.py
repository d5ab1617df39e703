"""The steps of a batch: the one table that joins a stage, the activity that does it, and what it does in words."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

from pipeline.records import Batch, Counts


class Step(NamedTuple):
    """``stage`` is what the ledger, the status and the measurements say; ``activity`` what the engine calls."""

    stage: str
    activity: str
    does: str


STORE = Step(
    "store",
    "store_messages",
    "decode the raw bytes, judge every message, add what the registry and the zones know; keep the messages and the "
    "dead letters, and count them",
)
FINISH = Step("update_drones", "finish_batch", "bring each drone up to date, and close the ledger's line")
FAIL = Step("fail", "fail_batch", "note where the batch stopped, and why")

STEPS = (STORE, FINISH)
"""In the order in which they run; ``FAIL`` takes the place of those that are left."""

VALIDATE = Step("validate", "validate_batch", "decode the raw bytes, judge every message")
ENRICH = Step("enrich", "enrich_messages", "add what the registry and the zones know")
UPDATE_DRONES = Step("update_drones", "update_drones", "bring each drone up to date with one merged signal")
COMPLETE = Step("complete", "complete_batch", "close the ledger's line")

STEPS_BEFORE = (VALIDATE, ENRICH, STORE, UPDATE_DRONES, COMPLETE)
"""Of ``process_batch``, the version before: they go when no instance of it is unfinished any more."""

START = "start"
"""Where a batch stopped that came to no step at all."""

STAGES = (START, *(step.stage for step in STEPS_BEFORE))
"""What a batch's ``stage`` may say; also that of one that the version before has left."""


class Reference(TypedDict):
    """All that an orchestration hands to a step; the last ones get a little more."""

    batchId: str
    instanceId: str


def reference_to(batch: Batch) -> Reference:
    """The batch's current attempt."""
    return {"batchId": batch.id, "instanceId": batch.instance_id}


class CountsBody(TypedDict):
    """``pipeline.records.Counts`` as it goes through the engine."""

    messages: int
    stored: int
    duplicates: int
    rejected: int


def counts_body(counts: Counts) -> CountsBody:
    return {
        "messages": counts.messages,
        "stored": counts.stored,
        "duplicates": counts.duplicates,
        "rejected": counts.rejected,
    }


class Completion(Reference):
    counts: CountsBody


class Failure(Reference):
    stage: str
    error: str


class Findings(TypedDict, total=False):
    """What a step answers besides: references and counts, never telemetry."""

    counts: CountsBody
    drones: int


class Result(Findings):
    """``current`` is False when another attempt has taken the batch over: the step has then done nothing."""

    current: bool
