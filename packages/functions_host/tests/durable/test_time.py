"""Days pass in a moment: nothing of the engine sleeps on the wall clock."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable import DurableEngine, DurableOptions
from functions_host.durable.activities import ActivityResult, ActivityTask
from moved_clock import CountedIds, MovedClock

from . import recorded_app
from .durable_support import Host

Steps = Generator[Any, Any, Any]
DAY = 86_400.0


@pytest.fixture
async def moved(tmp_path: Path) -> Any:
    made: list[Host] = []

    async def make(app: Any, clock: MovedClock) -> Host:
        one = Host(app, tmp_path, DurableOptions(hub_name="Golden"))
        one.engine = DurableEngine(tmp_path, DurableOptions(hub_name="Golden"), one.runner, clock, CountedIds())
        made.append(one)
        await one.start()
        return one

    yield make
    for one in made:
        await one.stop()


def build(failures: int = 0) -> df.DFApp:
    app = df.DFApp()
    left = [failures]

    @app.activity_trigger(input_name="x")
    async def fragile(x: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise ValueError("not yet")
        return x

    @app.orchestration_trigger(context_name="context")
    def sleeps(context: df.DurableOrchestrationContext) -> Steps:
        yield context.create_timer(context.current_utc_datetime + datetime.timedelta(days=2))
        return context.current_utc_datetime.isoformat()

    @app.orchestration_trigger(context_name="context")
    def retries(context: df.DurableOrchestrationContext) -> Steps:
        return (yield context.call_activity_with_retry("fragile", df.RetryOptions(3_600_000, 4), "worked"))

    return app


async def test_a_timer_of_days_fires_when_they_have_passed(moved: Callable[..., Any]) -> None:
    clock = MovedClock()
    one = await moved(build(), clock)
    await one.start_new("sleeps", "s")
    await one.settled()
    await clock.advance(2 * DAY - 10)
    assert (await one.call("GET", "instances/s")).status == 202
    await clock.advance(11)
    await one.quiet()
    status = (await one.call("GET", "instances/s")).body
    assert status["output"].startswith("2027-01-17T08:00:")
    assert (status["createdTime"][:10], status["lastUpdatedTime"][:10]) == ("2027-01-15", "2027-01-17")


async def test_time_that_passed_while_nothing_ran_has_passed(moved: Callable[..., Any]) -> None:
    one = await moved(build(), MovedClock())
    await one.start_new("sleeps", "s")
    await one.settled()
    await one.stop()
    later = MovedClock(MovedClock().now() + int(3 * DAY * 1_000_000))
    two = await moved(build(), later)
    await later.advance(0)
    await two.quiet()
    assert (await two.call("GET", "instances/s")).body["output"].startswith("2027-01-18")


async def test_retries_wait_their_hours(moved: Callable[..., Any]) -> None:
    clock = MovedClock()
    one = await moved(build(failures=2), clock)
    await one.start_new("retries", "r")
    for hour in range(2):
        await one.quiet()
        assert (await one.call("GET", "instances/r")).status == 202, f"after {hour} hours"
        await clock.advance(3_599)
        assert (await one.call("GET", "instances/r")).status == 202, f"nearly {hour + 1} hours"
        await clock.advance(2)
    await one.quiet()
    assert (await one.call("GET", "instances/r")).body["output"] == "worked"


async def test_a_start_that_waits_gives_up_when_its_time_is_over(moved: Callable[..., Any]) -> None:
    clock = MovedClock()
    one = await moved(build(), clock)
    waiting = asyncio.create_task(one.call("POST", "orchestrators/sleeps/s?timeout=600&pollingInterval=1"))
    await one.until(lambda: one.engine.health()["timers"] == 1)
    await one.settled()
    await clock.advance(599)
    assert not waiting.done()
    await clock.advance(2)
    assert (await waiting).status == 202


async def test_ids_come_from_one_place(moved: Callable[..., Any]) -> None:
    one = await moved(recorded_app.build(), MovedClock())
    answer = await one.call("POST", "orchestrators/chain", {})
    assert answer.body["id"] == f"{1:032x}"
    await one.quiet()
    started = json.loads(one.runner.contexts[0][2])["history"][1]
    assert started["OrchestrationInstance"]["ExecutionId"] == f"00000000-0000-0000-0000-{2:012x}"


async def test_results_of_a_fan_out_wait_twice_as_long_as_a_step_takes(moved: Callable[..., Any]) -> None:
    clock = MovedClock()
    one = await moved(recorded_app.build(), clock)
    await one.start_new("longrun", "l")
    await one.quiet()
    instance = one.engine.orchestrations.live.get("l")
    instance.step_seconds, instance.step_ended, instance.outstanding = 0.3, clock.now(), 3
    steps = len(one.runner.contexts)

    def finish(number: int) -> None:
        task = ActivityTask("l", instance.execution_id, number, "echo", None)
        one.engine.orchestrations.delivery._activity_finished(ActivityResult(task, "1"))

    finish(1)
    await clock.advance(0.5)
    # The loop was busy with something else meanwhile, most likely with the step itself.
    instance.step_ended = clock.now()
    finish(2)
    await clock.advance(0.5)
    assert instance.deferred
    assert len(one.runner.contexts) == steps
    await clock.advance(0.2)
    assert not instance.deferred
    await one.quiet()
