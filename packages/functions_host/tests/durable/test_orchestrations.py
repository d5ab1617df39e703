"""What an orchestration can do, and what the real extension does at the edges."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable.activities import ActivityResult, ActivityTask

from . import recorded_app
from .durable_support import raise_event

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


async def test_an_instance_is_over_only_when_nothing_is_open(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("anytasks", "a")
    status = await one.status("a", "Running")
    await one.until(lambda: len(one.runner.contexts) >= 2)
    assert json.loads(one.runner.contexts[1][3])["isDone"] is True
    status = (await one.call("GET", "instances/a")).body
    assert status["runtimeStatus"] == "Running", "the slow activity is still at work"
    assert (await one.end_of("a"))["output"] == "fast"
    assert len(one.runner.contexts) == 3, "its end is one more step"


async def test_a_cancelled_timer_holds_nothing_up_and_one_not_cancelled_does(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("nested", "n")
    await one.start_new("leaktimer", "l")
    assert (await one.end_of("n"))["output"] == ["all", [0, 1]]
    assert (await one.call("GET", "instances/l")).body["runtimeStatus"] == "Running"
    assert (await one.end_of("l"))["output"] == "done, timer not cancelled"


async def test_two_children_of_one_id_are_one_and_both_calls_return(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    assert (await one.run("subsame", "s"))["output"] == ["fired", "fired"]
    assert len((await one.call("GET", "instances?instanceIdPrefix=s-")).body) == 1


async def test_retried_children_have_a_new_id_each(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    status = await one.run("retrysub", "r")
    assert status["output"].startswith("Orchestrator function 'fails' failed: Activity function 'boom' failed:")
    ids = [row["instanceId"] for row in (await one.call("GET", "instances?runtimeStatus=Failed")).body]
    assert sorted(name.split(":")[1] for name in ids) == ["0", "2", "4"]


async def test_falsy_custom_statuses_show_as_null(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("seqstatus", "s")
    seen = []
    while (status := (await one.call("GET", "instances/s")).body)["runtimeStatus"] != "Completed":
        if status["customStatus"] not in seen:
            seen.append(status["customStatus"])
        await asyncio.sleep(0.01)
    assert seen == [None, "a", {"b": 1}] or seen == ["a", {"b": 1}, None]


@pytest.mark.parametrize(
    ("orchestrator", "kind", "name"),
    [
        ("unknown_activity", "activity", "nosuchactivity"),
        ("unknown_sub", "orchestrator", "nosuchorch"),
        ("unknown_entity", "entity", "@nosuchent@k"),
    ],
)
async def test_a_function_that_is_not_there_is_waited_for_and_named(
    host: HostMaker, caplog: pytest.LogCaptureFixture, orchestrator: str, kind: str, name: str
) -> None:
    one = await host(recorded_app.build())
    await one.start_new(orchestrator, "u")
    await one.quiet()
    assert (await one.call("GET", "instances/u")).body["runtimeStatus"] == "Running"
    assert f"orchestration 'u' ({orchestrator}): action 1" in caplog.text
    assert f"calls the {kind} '{name}', which is not registered" in caplog.text


async def test_of_forty_starts_of_one_id_one_wins(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    answers = await asyncio.gather(*(one.call("POST", "orchestrators/chain/same", {"n": n}) for n in range(40)))
    assert sorted(answer.status for answer in answers) == [202] + [409] * 39
    winner = next(n for n, answer in enumerate(answers) if answer.status == 202)
    assert (await one.end_of("same"))["input"] == {"n": winner}
    assert len([kind for kind, *_ in one.runner.contexts if kind == "orchestrator"]) == 3, "it ran once"


async def test_fan_out_of_a_thousand_takes_few_steps(host: HostMaker) -> None:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    async def square(x: int) -> int:
        return x * x

    @app.orchestration_trigger(context_name="context")
    def fan(context: df.DurableOrchestrationContext) -> Steps:
        squares = yield context.task_all([context.call_activity("square", n) for n in range(1000)])
        return sum(squares)

    one = await host(app, accelerate=True)
    assert (await one.run("fan", "f"))["output"] == sum(n * n for n in range(1000))
    assert len(one.runner.contexts) < 30


async def test_nothing_of_finished_instances_stays_in_memory(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    for number in range(20):
        await one.start_new("chain", f"c{number}")
    for number in range(20):
        await one.end_of(f"c{number}")
    await one.run("nested", "with a timer of hours it cancels")
    engine = one.engine
    assert len(engine.orchestrations.live) == 0
    assert not engine.orchestrations.live._idle
    assert not engine.clients._waiters
    assert len(engine.core.timers) == 0


async def test_histories_of_many_waiting_instances_are_read_again(
    host: HostMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions_host.durable.instances.HISTORIES_IN_MEMORY", 2)
    one = await host(recorded_app.build())
    for number in range(6):
        await one.start_new("longrun", f"w{number}")
    await one.quiet()
    kept = [instance for instance in one.engine.orchestrations.live if instance.history is not None]
    assert len(kept) == 2
    await one.stop()
    two = await host(recorded_app.build())
    await two.quiet()
    assert not any(instance.history for instance in two.engine.orchestrations.live), "what waits is not read at start"
    for number in range(6):
        await raise_event(two, f"w{number}", "go", number)
        assert (await two.end_of(f"w{number}"))["output"] == number


async def test_a_result_that_comes_after_termination_is_dropped(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("timeoutany", "t")
    await one.until(lambda: one.engine.health()["activities"] == 1)
    await one.call("POST", "instances/t/terminate?reason=enough")
    assert (await one.end_of("t"))["output"] == "enough"
    await one.quiet()
    assert one.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]
    assert one.engine.orchestrations.live.under_way() == {}


async def test_terminating_a_child_fails_the_call_of_its_parent(host: HostMaker) -> None:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def child(context: df.DurableOrchestrationContext) -> Steps:
        yield context.wait_for_external_event("never")

    @app.orchestration_trigger(context_name="context")
    def parent(context: df.DurableOrchestrationContext) -> Steps:
        try:
            yield context.call_sub_orchestrator("child", None, "kid")
        except Exception as error:
            return f"child: {error}"

    one = await host(app)
    await one.start_new("parent", "p")
    await one.quiet()
    await one.call("POST", "instances/kid/terminate?reason=stop")
    assert (await one.end_of("p"))["output"].startswith("child: stop")


async def test_results_of_a_long_fan_out_wait_for_each_other(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("longrun", "l")
    await one.quiet()
    instance = one.engine.orchestrations.live.get("l")
    assert instance is not None
    delivery = one.engine.orchestrations.delivery
    instance.step_seconds, instance.outstanding = 0.02, 3

    def finish(number: int) -> None:
        task = ActivityTask("l", instance.execution_id, number, "echo", None)
        delivery._activity_finished(ActivityResult(task, "1"))

    finish(1)
    finish(2)
    assert (instance.deferred, instance.queued or instance.running) == (True, False), "one is still out"
    finish(3)
    assert (instance.deferred, instance.queued or instance.running) == (False, True), "nothing to wait for any more"
    await one.quiet()
