"""What an ending instance leaves to others: answers for its callers, events for its successor."""

from __future__ import annotations

import json
from typing import Any

from functions_host.durable import events as ev
from functions_host.durable import failures
from functions_host.durable import messages as msg
from functions_host.durable.clock import parse
from functions_host.durable.core import Core
from functions_host.durable.instances import Instances, Orchestration
from functions_host.durable.messages import Message
from functions_host.durable.step import Outcome


def tell_parents(
    core: Core, instance: Orchestration, outcome: Outcome, termination: str | None, now: int
) -> list[Message]:
    replies = []
    parent: dict[str, Any] | None = instance.parent
    while parent is not None:
        payload: dict[str, object] = {"id": parent["task_id"], "at": now, "execution": parent["execution_id"]}
        if outcome.status == "Completed":
            payload["result"] = outcome.result
        elif outcome.status == "Failed":
            payload["reason"] = outcome.reason
            payload["details"] = failures.sub_details(outcome.error)
        else:
            payload["reason"] = termination or ""
            payload["details"] = None
        replies.append(core.message(parent["instance_id"], msg.SUB, payload))
        parent = parent.get("replaced")
    return replies


def carried_from_history(
    core: Core, live: Instances, instance: Orchestration, outcome: Outcome, base: int
) -> list[Message]:
    """Events that earlier episodes took up after continue_as_new, while tasks were still open."""
    positions = [position for position in outcome.carried if position < base]
    if not positions:
        return []
    parts, facts = live.with_history(instance)
    raised = [e for e in json.loads(f"[{','.join(parts)}]") if e["EventType"] == ev.EVENT_RAISED]
    order = [position for position, fact in enumerate(facts) if fact[0] == "event"]
    found = [raised[order.index(position)] for position in positions]
    return [
        core.message(
            instance.instance_id,
            msg.EVENT,
            {"name": event["Name"], "input": event["Input"], "at": parse(event["Timestamp"])},
        )
        for event in found
    ]
