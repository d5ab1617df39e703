"""The drone: its key is the device id, its state the merged registers of ``telemetry.merge``.

Nothing here reads or writes anything but the state that was handed in, and merging again or in another order changes
nothing, so a signal that arrives twice or late does no harm.
"""

# mypy: allow-untyped-decorators
from __future__ import annotations

import logging

import azure.durable_functions as df

from observability import log
from pipeline.signals import DRONE, MERGE
from telemetry.merge import merge
from telemetry.model import DroneState
from telemetry.soundness import check_state

blueprint = df.Blueprint()


@blueprint.entity_trigger(context_name="context", entity_name=DRONE)
def drone(context: df.DurableEntityContext) -> None:
    """``merge`` takes a state (what a batch knows of this drone) and keeps the least state that knows both.

    What is no state of this drone is refused: anybody who may signal can send anything, and what cannot be shown would
    be missing from the fleet. A stored state that is none (kept before there was this check) gives way to one that is.

    An operation that fails is logged and changes nothing: the state is complete before it is set, because the SDK does
    not take a set state back, and nothing is set at all on the way to an error, so that no empty drone comes to be.
    """
    try:
        if context.operation_name != MERGE:
            raise ValueError(f"unknown operation {context.operation_name!r}; known: {MERGE!r}")
        patch = context.get_input()
        if patch["id"] != context.entity_key:
            raise ValueError(f"state of {patch['id']!r} signalled to {context.entity_key!r}")
        merged = _merged(context.get_state(), patch)
    except Exception as error:
        log(logging.ERROR, "signal not merged", deviceId=context.entity_key, error=repr(error))
        raise
    context.set_state(merged)
    # Without it the SDK would hand out the result of the operation before this one.
    context.set_result(None)


def _merged(stored: DroneState | None, patch: DroneState) -> DroneState:
    """What knows both. Raises any exception when ``patch`` is no state."""
    try:
        merged = merge(stored, patch)
        check_state(merged)
    except Exception:
        check_state(patch)
        log(logging.ERROR, "a stored state that was none is replaced", deviceId=patch["id"])
        return merge(None, patch)
    return merged
