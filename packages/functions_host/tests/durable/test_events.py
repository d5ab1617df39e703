"""External events: early, late, twice, dropped, and who gets them."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest

from . import recorded_app
from .durable_support import raise_event

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


async def test_waiting_once_more_for_an_event_that_a_when_any_has_left_is_no_finding(
    host: HostMaker, caplog: pytest.LogCaptureFixture
) -> None:
    app = df.DFApp()

    @app.activity_trigger(input_name="value")
    def say(value: str) -> str:
        return value

    @app.orchestration_trigger(context_name="context")
    def twice(context: df.DurableOrchestrationContext) -> Steps:
        first, second = context.wait_for_external_event("first"), context.wait_for_external_event("second")
        yield context.task_any([first, second])
        said = yield context.call_activity("say", "between")
        return [said, (yield second)]

    one = await host(app)
    await one.start_new("twice", "t")
    await one.settled()
    for name in ("first", "second"):
        await raise_event(one, "t", name, name)
        await one.settled()
    assert (await one.end_of("t"))["output"] == ["between", "second"]
    assert "waits indefinitely" not in caplog.text


async def test_concurrent_waiters_get_events_newest_first(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("waitorder", "w")
    await one.settled()
    for value in (1, 2, "f"):
        await raise_event(one, "w", "E" if isinstance(value, int) else "F", value)
        await one.settled()
    assert (await one.end_of("w"))["output"] == [[2, 1], "d", "f"]


async def test_events_delivered_and_not_consumed_are_dropped_at_continue_as_new_with_a_warning(
    host: HostMaker, caplog: pytest.LogCaptureFixture
) -> None:
    one = await host(recorded_app.build())
    await one.start_new("canevents", "c")
    await one.settled()
    for number in range(3):
        await raise_event(one, "c", "tick", number)
    await one.quiet()
    status = (await one.call("GET", "instances/c")).body
    assert status["runtimeStatus"] == "Running"
    assert json.loads(status["input"]) == {"n": 1, "got": [0]}
    assert "orchestration 'c' (canevents): continue_as_new drops 2 event(s)" in caplog.text
    for number in range(2):
        await raise_event(one, "c", "tick", number)
    await one.quiet()
    assert (await one.call("GET", "instances/c")).body["input"] != status["input"]  # a generation further
    assert caplog.text.count("continue_as_new drops") == 1


async def test_events_after_continue_as_new_reach_the_next_generation(host: HostMaker) -> None:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def each(context: df.DurableOrchestrationContext) -> Steps:
        got = context.get_input() or []
        value = yield context.wait_for_external_event("tick")
        if len(got) == 2:
            return [*got, value]
        context.continue_as_new([*got, value])

    one = await host(app)
    await one.start_new("each", "e")
    await one.settled()
    await asyncio.gather(*(raise_event(one, "e", "tick", number) for number in range(3)))
    assert sorted((await one.end_of("e"))["output"]) == [0, 1, 2]


async def test_what_arrived_early_satisfies_two_waits_in_the_sdk_but_not_on_the_host(
    host: HostMaker, caplog: pytest.LogCaptureFixture
) -> None:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    async def pause(x: float) -> None:
        await asyncio.sleep(x)

    @app.orchestration_trigger(context_name="context")
    def twice(context: df.DurableOrchestrationContext) -> Steps:
        yield context.call_activity("pause", 0.05)
        first = yield context.wait_for_external_event("A")
        second = yield context.wait_for_external_event("A")
        return [first, second]

    one = await host(app)
    await one.start_new("twice", "t")
    await raise_event(one, "t", "A", 1)
    await one.quiet()
    assert (await one.call("GET", "instances/t")).body["runtimeStatus"] == "Running"
    assert "still waits on the host's side for the event 'a'" in caplog.text
    await raise_event(one, "t", "A", 2)
    assert (await one.end_of("t"))["output"] == [1, 1]


async def test_a_wait_that_lost_its_race_does_not_take_the_next_event(host: HostMaker) -> None:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def rounds(context: df.DurableOrchestrationContext) -> Steps:
        event = context.wait_for_external_event("E")
        timer = context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=0.01))
        yield context.task_any([event, timer])
        value = yield context.wait_for_external_event("E")
        return value

    one = await host(app)
    await one.start_new("rounds", "r")
    await one.until(lambda: len(one.runner.contexts) == 2)
    await raise_event(one, "r", "E", "second round")
    assert (await one.end_of("r"))["output"] == "second round"
