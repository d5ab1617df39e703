"""The lives of an instance that are recorded: every way through the orchestrator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any

from pipeline.attempts import ORCHESTRATOR
from tests.support.engine import Engine, Instance

COUNTS = {"messages": 250, "stored": 240, "duplicates": 7, "rejected": 3}
BATCH = "telemetry~0~1000~1249~20260101T000000000000Z"
RESULTS: dict[str, dict[str, Any]] = {
    "store_messages": {"current": True, "counts": COUNTS, "drones": 90},
    "finish_batch": {"current": True},
    "fail_batch": {"current": True},
}
STEPS = ("store_messages", "finish_batch")
FOR_EVER = 1000

# Scenario -> (how often each activity fails first, the activity that finds its attempt superseded).
SCENARIOS: dict[str, tuple[dict[str, int], str | None]] = {
    "completes": ({}, None),
    "every_step_is_retried": (dict.fromkeys(STEPS, 2), None),
    **{f"{step}_fails": ({step: FOR_EVER}, None) for step in STEPS},
    **{f"{step}_finds_itself_superseded": ({}, step) for step in STEPS},
    "failure_finds_itself_superseded": ({"store_messages": FOR_EVER}, "fail_batch"),
    "failure_cannot_be_noted": ({"store_messages": FOR_EVER, "fail_batch": FOR_EVER}, None),
}


async def play(scenario: str) -> Instance:
    """The instance after the scenario, on a clock of its own: a recording made anew differs only by the code."""
    failures, superseded = SCENARIOS[scenario]
    left = dict(failures)

    def activity(name: str) -> Callable[[Any], Awaitable[Any]]:
        async def run(_: Any) -> Any:
            if left.get(name, 0) > 0:
                left[name] -= 1
                raise OSError("the store is away")
            return {"current": False} if name == superseded else RESULTS[name]

        return run

    engine = Engine({name: activity(name) for name in RESULTS}, now=datetime(2026, 1, 1, tzinfo=timezone.utc))
    engine.start(ORCHESTRATOR, f"{BATCH}~1", {"batchId": BATCH})
    await engine.run()
    return engine.instances[f"{BATCH}~1"]
