"""The lives of a flush that are recorded: every way through its orchestrator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from orchestrators.flush_drones import MOST_ROUNDS
from pipeline.windows import FLUSH, FLUSH_ACTIVITY, Window, flush_id
from tests.support.engine import Engine, Instance

AWAY = OSError("the store is away")
FOR_EVER = [AWAY] * 10
WINDOW: Window = {"hub": "telemetry", "partition": "0", "seconds": 7.25}


def _told(batches: int, *, more: bool = False) -> dict[str, Any]:
    return {"batches": batches, "drones": 90 * batches, "more": more}


# Scenario -> the window's length, what each call of the activity gives in turn (the last of them indefinitely).
SCENARIOS: dict[str, tuple[float, Sequence[Any]]] = {
    "one_portion": (7.25, [_told(10)]),
    "several_portions": (7.25, [_told(100, more=True), _told(100, more=True), _told(3)]),
    "found_late": (0.0, [_told(10)]),
    "nothing_is_held": (7.25, [_told(0)]),
    "a_portion_is_retried": (7.25, [AWAY, _told(100, more=True), AWAY, _told(3)]),
    "it_fails": (7.25, FOR_EVER),
    "more_than_one_flush_takes_on": (0.0, [_told(1, more=True)]),
}
assert MOST_ROUNDS < 100


async def play(scenario: str) -> Instance:
    seconds, answers = SCENARIOS[scenario]
    left = list(answers)

    async def run(_: Any) -> Any:
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, Exception):
            raise said
        return said

    engine = Engine({FLUSH_ACTIVITY: run}, now=datetime(2026, 1, 1, tzinfo=timezone.utc))
    instance_id = flush_id("telemetry", "0", 3)
    engine.start(FLUSH, instance_id, {**WINDOW, "seconds": seconds})
    await engine.run()
    return engine.instances[instance_id]
