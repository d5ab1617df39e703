"""The orchestrator on 2.x: every way through it that is recorded from 1.x has the same end there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from pipeline.attempts import ORCHESTRATOR
from tests.replay_gate.gate import recordings
from tests.replay_gate.scenarios import BATCH, RESULTS, SCENARIOS
from tests.support.host_2x import FUNCTIONS, Host

TASK_SCHEDULED = 4
RECORDINGS = recordings()


def stand_ins(scenario: str) -> dict[str, Callable[[Any], Any]]:
    failures, superseded = SCENARIOS[scenario]
    left = dict(failures)

    def activity(name: str) -> Callable[[Any], Any]:
        def run(_: Any) -> Any:
            if left.get(name, 0) > 0:
                left[name] -= 1
                raise OSError("the store is away")
            return {"current": False} if name == superseded else RESULTS[name]

        return run

    return {name: activity(name) for name in RESULTS}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_it_ends_as_it_was_recorded_on_1x(scenario: str, host: Host, quick_retries: None) -> None:
    recording = RECORDINGS[f"{ORCHESTRATOR}/{scenario}"]
    recorded = recording["answers"][-1]
    host.activities = stand_ins(scenario)
    async with host.running():
        await host.client.start_new(ORCHESTRATOR, f"{BATCH}~1", {"batchId": BATCH})
        status = await host.ended(f"{BATCH}~1")
    assert status.custom_status == recorded["customStatus"]
    scheduled = Counter(e["Name"] for e in recording["context"]["history"] if e["EventType"] == TASK_SCHEDULED)
    assert Counter(host.calls) == scheduled
    if recorded["isDone"]:
        assert status.runtime_status is df.OrchestrationRuntimeStatus.Completed
        assert status.output == recorded["output"]
    else:
        assert status.runtime_status is df.OrchestrationRuntimeStatus.Failed
        # The words around it are the SDK's; where it stopped and what the activity said are ours.
        assert "the store is away" in status.output
        if "batch failed at stage" in recorded["error"]:
            assert status.output.startswith(f"batch failed at stage {recorded['customStatus']['stage']}: ")


async def test_what_the_ledger_is_told_about_a_failure_is_the_activitys_own_words(
    host: Host, quick_retries: None
) -> None:
    told: list[Any] = []

    def fail_batch(failure: Any) -> Any:
        told.append(failure)
        return {"current": True}

    host.activities = {**stand_ins("store_messages_fails"), "fail_batch": fail_batch}
    async with host.running():
        await host.client.start_new(ORCHESTRATOR, f"{BATCH}~1", {"batchId": BATCH})
        await host.ended(f"{BATCH}~1")
    [failure] = told
    assert (failure["stage"], failure["error"]) == ("store", "OSError: the store is away")


async def test_a_replayed_history_gives_the_same_actions(host: Host) -> None:
    """The engine hands over the whole history with every step: an orchestrator that draws on anything else fails."""
    host.activities = stand_ins("completes")
    async with host.running():
        await host.client.start_new(ORCHESTRATOR, f"{BATCH}~1", {"batchId": BATCH})
        await host.ended(f"{BATCH}~1")
        history = await host.client.get_orchestration_history(f"{BATCH}~1")
    names = [event.name for event in history if type(event).__name__ == "TaskScheduledEvent"]
    assert names == ["store_messages", "finish_batch"]
    assert len(json.dumps([str(event) for event in history])) < 20_000


def declared(trigger: str, room: str) -> int:
    root = Path(__file__).resolve().parents[2]
    return sum(path.read_text().count(f"@blueprint.{trigger}(") for path in (root / room).glob("*.py"))


def test_the_app_is_registered_as_on_1x() -> None:
    kinds = Counter(function.get_trigger().type for function in FUNCTIONS.values())
    # Two of the SDK's own, for durable HTTP calls, come with every 2.x app.
    own = {name for name in FUNCTIONS if name.startswith("BuiltIn__")}
    assert len(own) == 2
    assert kinds["orchestrationTrigger"] == 1 + declared("orchestration_trigger", "orchestrators")
    assert kinds["activityTrigger"] == 1 + declared("activity_trigger", "activities")
    assert kinds["entityTrigger"] == 1
    assert FUNCTIONS["ingest"].get_settings_dict("retry_policy")["max_retry_count"] == "-1"
