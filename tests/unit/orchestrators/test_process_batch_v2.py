"""The orchestrator through the SDK's own ``Orchestrator.handle``: its steps, its status, its failures, its replays."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from orchestrators.process_batch_v2 import RETRY
from pipeline.attempts import ORCHESTRATOR as STARTED
from tests.support.engine import ORCHESTRATOR, Engine, Instance, Status
from tests.support.engine_history import TASK_COMPLETED

COUNTS = {"messages": 3, "stored": 1, "duplicates": 1, "rejected": 1}
RESULTS: dict[str, dict[str, Any]] = {
    "store_messages": {"current": True, "counts": COUNTS, "drones": 2},
    "finish_batch": {"current": True},
    "fail_batch": {"current": True},
}
STAGES = {"store_messages": "store", "finish_batch": "update_drones"}
REFERENCE = {"batchId": "b", "instanceId": "b~1"}


class Script:
    """Activities that answer as ``RESULTS`` says, fail as often as told, and note what they were called with."""

    def __init__(self, failures: dict[str, int] | None = None, results: dict[str, Any] | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.failures = dict(failures or {})
        self.results = {**RESULTS, **(results or {})}

    def activities(self) -> dict[str, Callable[[Any], Awaitable[Any]]]:
        return {name: self._activity(name) for name in RESULTS}

    def _activity(self, name: str) -> Callable[[Any], Awaitable[Any]]:
        async def activity(reference: Any) -> Any:
            self.calls.append((name, reference))
            if self.failures.get(name, 0) > 0:
                self.failures[name] -= 1
                raise OSError(f"{name} is down")
            return self.results[name]

        return activity


async def run(script: Script) -> Instance:
    engine = Engine(script.activities())
    engine.start(STARTED, "b~1", {"batchId": "b"})
    await engine.run()
    return engine.instances["b~1"]


async def test_the_steps_run_in_their_order_and_get_references_only() -> None:
    script = Script()
    instance = await run(script)
    assert script.calls == [
        ("store_messages", REFERENCE),
        ("finish_batch", {**REFERENCE, "counts": COUNTS}),
    ]
    assert instance.status is Status.Completed
    assert instance.output == {"batchId": "b", "current": True, "counts": COUNTS, "drones": 2}


async def test_the_custom_status_says_the_stage_and_then_the_counts() -> None:
    instance = await run(Script())
    statuses = [json.loads(answer)["customStatus"] for answer in instance.answers]
    assert statuses == [
        {"stage": "store", "counts": None},
        {"stage": "update_drones", "counts": COUNTS},
        {"stage": "completed", "counts": COUNTS},
    ]


@pytest.mark.parametrize("name", STAGES)
async def test_a_step_that_fails_for_a_while_is_tried_again(name: str) -> None:
    script = Script(failures={name: RETRY.max_number_of_attempts - 1})
    instance = await run(script)
    assert instance.status is Status.Completed
    assert [call for call, _ in script.calls].count(name) == RETRY.max_number_of_attempts
    assert "fail_batch" not in [call for call, _ in script.calls]


@pytest.mark.parametrize(("name", "stage"), STAGES.items())
async def test_a_step_that_keeps_failing_fails_the_batch_with_its_stage_and_error(name: str, stage: str) -> None:
    script = Script(failures={name: 1000})
    instance = await run(script)
    last, argument = script.calls[-1]
    assert last == "fail_batch"
    assert argument == {
        **REFERENCE,
        "stage": stage,
        "error": f"Activity function '{name}' failed:  OSError: {name} is down",
    }
    assert instance.status is Status.Failed
    assert instance.output == f"batch failed at stage {stage}: {argument['error']}"
    assert "StackTrace" not in instance.output
    assert [call for call, _ in script.calls].count(name) == RETRY.max_number_of_attempts


async def test_even_when_the_failure_cannot_be_noted_the_instance_ends_failed() -> None:
    script = Script(failures={"store_messages": 1000, "fail_batch": 1000})
    instance = await run(script)
    assert instance.status is Status.Failed
    assert "fail_batch is down" in str(instance.output)


@pytest.mark.parametrize("name", STAGES)
async def test_a_superseded_attempt_ends_without_further_steps(name: str) -> None:
    script = Script(results={name: {"current": False}})
    instance = await run(script)
    assert script.calls[-1][0] == name
    assert instance.status is Status.Completed
    assert instance.output == {"batchId": "b", "current": False, "counts": None, "drones": 0}


async def test_a_failure_that_the_ledger_does_not_take_from_this_attempt_is_none() -> None:
    """Another attempt runs, or the batch was completed before the last step's result was lost."""
    script = Script(failures={"finish_batch": 1000}, results={"fail_batch": {"current": False}})
    instance = await run(script)
    assert instance.status is Status.Completed
    assert instance.output["current"] is False


async def test_every_prefix_of_a_history_replays_to_the_actions_it_gave() -> None:
    script = Script(failures={"store_messages": 3, "finish_batch": 1000})
    instance = await run(script)
    assert len(instance.contexts) > 12
    previous: list[Any] = []
    for context, answer in zip(instance.contexts[:-1], instance.answers[:-1], strict=True):
        again = ORCHESTRATOR(context)
        assert json.loads(again) == json.loads(answer)
        actions = json.loads(again)["actions"][0]
        assert actions[: len(previous)] == previous
        previous = actions


async def test_the_history_holds_no_more_for_a_larger_batch() -> None:
    sizes = []
    for number in (10, 100, 999):
        counts = {"messages": number, "stored": number, "duplicates": 0, "rejected": 0}
        results = {"store_messages": {"current": True, "counts": counts}}
        instance = await run(Script(results=results))
        sizes.append(len(instance.contexts[-1]))
    assert max(sizes) - min(sizes) < 50
    assert max(sizes) < 8000


async def test_a_result_that_came_twice_changes_nothing() -> None:
    instance = await run(Script())
    context = json.loads(instance.contexts[-1])
    completed = [event for event in context["history"] if event["EventType"] == TASK_COMPLETED]
    context["history"].append(dict(completed[-1]))
    assert json.loads(ORCHESTRATOR(json.dumps(context))) == json.loads(instance.answers[-1])
