"""Replays: what must be the same at each, and changed code that is found."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable.actions import State
from functions_host.durable.clock import parse
from functions_host.durable.facts import ExecutionStarted, Fact, OrchestratorStarted, from_events
from functions_host.durable.messages import TaskEnded
from functions_host.durable.names import Registry
from functions_host.durable.replay import Replay

from . import recorded_app
from .durable_support import raise_event
from .test_recordings import play

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


async def test_changed_code_is_found_and_the_step_named(host: HostMaker, caplog: pytest.LogCaptureFixture) -> None:
    def build(second: str) -> df.DFApp:
        app = df.DFApp()

        @app.activity_trigger(input_name="x")
        def a(x: Any) -> Any:
            return x

        @app.activity_trigger(input_name="x")
        def b(x: Any) -> Any:
            return x

        @app.orchestration_trigger(context_name="context")
        def flow(context: df.DurableOrchestrationContext) -> Steps:
            yield context.call_activity("a", 1)
            yield context.call_activity(second, 2)
            yield context.wait_for_external_event("go")

        return app

    one = await host(build("a"))
    await one.start_new("flow", "f")
    await one.quiet()
    await one.stop()
    two = await host(build("b"))
    await raise_event(two, "f", "go", 1)
    status = await two.end_of("f")
    assert status["runtimeStatus"] == "Failed"
    assert status["output"] == (
        "Non-Deterministic workflow detected: a previous execution of this orchestration scheduled an activity task "
        "named 'a' with sequence ID 1, but the current replay execution scheduled an activity task named 'b' there. "
        "Was a change made to the orchestrator code after this instance had already started running?"
    )
    assert "orchestration 'f' (flow): Non-Deterministic workflow detected" in caplog.text


async def test_a_step_that_is_gone_from_the_code_is_found_too(host: HostMaker) -> None:
    def build(steps: int) -> df.DFApp:
        app = df.DFApp()

        @app.activity_trigger(input_name="x")
        def a(x: Any) -> Any:
            return x

        @app.orchestration_trigger(context_name="context")
        def flow(context: df.DurableOrchestrationContext) -> Steps:
            for number in range(steps):
                yield context.call_activity("a", number)
            yield context.wait_for_external_event("go")

        return app

    one = await host(build(2))
    await one.start_new("flow", "f")
    await one.quiet()
    await one.stop()
    two = await host(build(1))
    await raise_event(two, "f", "go", 1)
    with pytest.warns(UserWarning, match="Potential duplicate Task completion for TaskId: 1"):
        output = (await two.end_of("f"))["output"]
    assert "scheduled an activity task named 'a' with sequence ID 1, but the current replay execution hasn't" in output


async def test_times_and_ids_are_the_same_at_every_replay(host: HostMaker) -> None:
    app = df.DFApp()
    seen: list[tuple[str, ...]] = []

    @app.activity_trigger(input_name="x")
    def echo(x: Any) -> Any:
        return x

    @app.orchestration_trigger(context_name="context")
    def flow(context: df.DurableOrchestrationContext) -> Steps:
        values = []
        for number in range(3):
            values.append(f"{context.current_utc_datetime.isoformat()} {context.new_guid()} {context.new_uuid()}")
            seen.append(tuple(values))
            yield context.call_activity("echo", number)
        return values

    one = await host(app)
    output = (await one.run("flow", "f"))["output"]
    assert all(list(values) == output[: len(values)] for values in seen)
    assert len(set(output)) == 3


async def test_a_long_timer_is_cut_by_the_sdk_and_outlives_a_restart(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("longtimer", "l")
    await one.settled()
    await one.stop()
    two = await host(recorded_app.build())
    assert two.engine.health()["timers"] == 1
    history = (await two.call("GET", "instances/l?showHistory=true")).body["historyEvents"]
    created = next(event for event in history if event["EventType"] == "TimerCreated")
    due = datetime.datetime.fromisoformat(created["FireAt"][:19])
    assert 2.9 < (due - datetime.datetime.fromisoformat(created["Timestamp"][:19])).total_seconds() / 86400 < 3.1


async def test_a_result_delivered_twice_counts_once(host: HostMaker) -> None:
    app = df.DFApp()
    never = asyncio.Event()

    @app.activity_trigger(input_name="x")
    async def stuck(x: Any) -> None:
        await never.wait()

    @app.orchestration_trigger(context_name="context")
    def flow(context: df.DurableOrchestrationContext) -> Steps:
        first = yield context.call_activity("stuck", 1)
        second = yield context.wait_for_external_event("go")
        return [first, second]

    one = await host(app)
    await one.start_new("flow", "f")
    await one.settled()
    for _ in range(2):
        ended = TaskEnded(0, one.engine.core.clock.now(), '"from a lost worker"')
        one.engine.orchestrations.delivery.deliver(one.engine.core.message("f", ended))
    await raise_event(one, "f", "go", 2)
    assert (await one.end_of("f"))["output"] == ["from a lost worker", 2]
    history = (await one.call("GET", "instances/f?showHistory=true")).body["historyEvents"]
    assert [event["EventType"] for event in history].count("TaskCompleted") == 1
    never.set()


async def test_times_of_timers_and_retries(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.run("subfail", "s")
    last = json.loads([c for k, name, c, _ in one.runner.contexts if name == "subfail"][-1])["history"]
    created = [event for event in last if event["EventType"] == 10]
    fired = [event for event in last if event["EventType"] == 11]
    assert [(event["FireAt"], event["Timestamp"]) for event in fired] == [
        (event["FireAt"], event["Timestamp"]) for event in created
    ], "a timer that fired shows when it was due and when it was created"
    starts = [event["Timestamp"] for event in last if event["EventType"] == 12]
    delays = [
        min(parse_time(event["FireAt"]) - parse_time(start) for start in starts if start <= event["Timestamp"])
        for event in created
    ]
    assert delays == [50_000, 0], "the retry's interval, then the extra timer after the last attempt"


def parse_time(text: str) -> int:
    found = parse(text)
    assert found is not None
    return found


EVERYTHING = Registry(lambda _: True, lambda _: True, lambda _: True)


def walked(replay: Replay) -> dict[str, Any]:
    return {
        "scheduled": replay.scheduled,
        "satisfied": replay.satisfied,
        "open": sorted(replay.open),
        "waits": replay.waits(),
        "continues": replay.continue_input,
        "carried": replay.carried,
        "suspended": replay.suspended,
        "buffered": {name: list(names) for name, names in replay.buffered.items()},
    }


@pytest.mark.parametrize(
    "scenario",
    ["anytasks", "entityops", "events_buffered", "fanout", "fanout_mixed", "parent", "retry", "suspend_resume"],
)
async def test_a_walk_that_goes_on_stands_where_one_from_the_start_would(host: HostMaker, scenario: str) -> None:
    one = await host(recorded_app.build())
    await play(one, scenario)
    walks: dict[tuple[str, str], Replay] = {}
    went_on = 0
    for kind, _, text, answer in one.runner.contexts:
        context, state = json.loads(text), State(json.loads(answer))
        if kind != "orchestrator" or not state.actions:
            continue
        started = next(event for event in context["history"] if event["EventType"] == 0)
        key = (context["instanceId"], started["OrchestrationInstance"]["ExecutionId"])
        facts = from_events(context["history"])
        whole = Replay(*key, EVERYTHING)
        whole.run(state.actions, facts)
        walk = walks.get(key)
        if walk is None or not walk.suits(state.actions):
            walk = walks[key] = Replay(*key, EVERYTHING)
        else:
            went_on += 1
        walk.run(state.actions, facts[walk.seen :])
        assert walked(walk) == walked(whole), f"{context['instanceId']}, {len(facts)} facts"
    assert went_on


def test_a_walk_does_not_go_on_with_actions_that_it_did_not_walk() -> None:
    first = [{"actionType": 5, "fireAt": "2030-01-01T00:00:00Z", "isCanceled": False}]
    facts: list[Fact] = [OrchestratorStarted(1), ExecutionStarted()]
    walk = Replay("i", "e", EVERYTHING)
    walk.run(first, facts)
    assert walk.suits([*first, {"actionType": 0, "functionName": "f"}])
    assert not walk.suits([{**first[0], "isCanceled": True}]), "the timer was cancelled"
    assert not walk.suits([]), "they are fewer"
    over = Replay("i", "e", EVERYTHING)
    over.run([], facts)
    assert not over.suits([{"actionType": 0, "functionName": "f"}]), "it would have begun it at an earlier moment"
