"""What a journey leaves behind: the same however often it was interrupted."""

from __future__ import annotations

from typing import Any

from . import journey_app
from .durable_support import Host

_INBOX = "SELECT count(*) FROM inbox"


async def final_state(host: Host) -> dict[str, Any]:
    """Outputs, statuses, the entity's state, history by kind, and what still waits (nothing)."""
    journey = (await host.call("GET", "instances/j?showHistory=true&showHistoryOutput=true")).body
    child = (await host.call("GET", "instances/j-child")).body
    entity = (await host.call("GET", "entities/total/one")).body
    return {
        "journey": [journey["runtimeStatus"], journey["output"], journey["customStatus"]],
        "child": [child["runtimeStatus"], child["output"]],
        "entity": entity,
        "events": sorted(event["EventType"] for event in journey["historyEvents"]),
        "left": [len(host.engine.orchestrations.live.under_way()), host.engine.store.read(_INBOX)[0][0]],
        "instances": len((await host.call("GET", "instances")).body),
    }


EXPECTED: dict[str, Any] = {
    "journey": ["Completed", journey_app.OUTPUT, "fanned out"],
    "child": ["Completed", 42],
    "entity": 12,
    "events": sorted(journey_app.EVENTS),
    "left": [0, 0],
    "instances": 3,
}
