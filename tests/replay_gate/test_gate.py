"""The gate: code that would act differently on an instance that is under way does not pass."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

import orchestrators.process_batch_v2 as module
from pipeline.attempts import ORCHESTRATOR as STARTED
from tests.replay_gate.gate import HISTORIES, Handle, divergences, handle_of, prefixes, recordings
from tests.replay_gate.record import RECORDED, record
from tests.replay_gate.scenarios import SCENARIOS
from tests.support.engine import ORCHESTRATOR

RECORDINGS = recordings()


@pytest.mark.parametrize("name", RECORDINGS)
def test_todays_orchestrator_takes_over_what_is_under_way(name: str) -> None:
    assert divergences(handle_of(name.partition("/")[0]), RECORDINGS[name]) == []


@pytest.mark.parametrize("orchestrator", RECORDED)
def test_every_way_through_the_orchestrators_that_are_started_is_recorded(orchestrator: str) -> None:
    recorded = {path.stem for path in (HISTORIES / orchestrator).glob("*.json")}
    assert recorded == set(RECORDED[orchestrator].SCENARIOS)


@pytest.mark.parametrize(
    ("orchestrator", "scenario"), [(name, one) for name, lives in RECORDED.items() for one in lives.SCENARIOS]
)
async def test_prefixes_are_what_the_engine_handed_over(orchestrator: str, scenario: str) -> None:
    instance = await RECORDED[orchestrator].play(scenario)
    handed_over = [json.loads(text) for text in instance.contexts]
    assert [json.loads(text) for text in prefixes(handed_over[-1])] == handed_over


Body = Callable[[Any], Generator[Any, Any, Any]]


def steps(*names: str, **changes: Any) -> Body:
    """An orchestrator that runs these activities and nothing else: what a careless change leaves of ours."""

    def orchestrator(context: Any) -> Generator[Any, Any, Any]:
        reference = {"batchId": context.get_input()["batchId"], "instanceId": context.instance_id, **changes}
        for name in names:
            yield context.call_activity_with_retry(name, module.RETRY, reference)

    return orchestrator


def random_step(context: Any) -> Generator[Any, Any, Any]:
    yield context.call_activity_with_retry("store_messages", module.RETRY, {"ticket": random.random()})


CHANGED: dict[str, Body] = {
    "two steps swapped": steps("finish_batch", "store_messages"),
    "a step renamed": steps("keep_messages", "finish_batch"),
    "a step left out": steps("finish_batch"),
    "a step put in": steps("count_messages", "store_messages", "finish_batch"),
    "an input changed": steps("store_messages", "finish_batch", attempt=1),
    "chance": random_step,
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_orchestrator_does_not_pass(change: str) -> None:
    handle: Handle = df.Orchestrator.create(CHANGED[change])
    found = divergences(handle, RECORDINGS[f"{STARTED}/completes"])
    assert any("actions" in line for line in found), found


def test_a_changed_retry_policy_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY", df.RetryOptions(2000, 2))
    found = divergences(ORCHESTRATOR, RECORDINGS[f"{STARTED}/store_messages_fails"])
    assert any("actions" in line for line in found), found


async def test_a_recording_is_never_overwritten(tmp_path: Path) -> None:
    written = await record(tmp_path / STARTED)
    assert {path.stem for path in written} == set(SCENARIOS)
    assert divergences(ORCHESTRATOR, json.loads(written[0].read_text())) == []
    with pytest.raises(FileExistsError):
        await record(tmp_path / STARTED)
