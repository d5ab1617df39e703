"""What an orchestration can do, and what the real extension does at the edges."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable import DurableOptions

from . import recorded_app
from .durable_support import Host

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


async def raise_event(host: Host, instance_id: str, name: str, value: Any) -> None:
    answer = await host.call("POST", f"instances/{instance_id}/raiseEvent/{name}", value)
    assert answer.status == 202


async def test_concurrent_waiters_get_events_newest_first(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("waitorder", "w")
    await one.settled()
    for value in (1, 2, "f"):
        await raise_event(one, "w", "E" if isinstance(value, int) else "F", value)
        await one.settled()
    assert (await one.end_of("w"))["output"] == [[2, 1], "d", "f"]


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
    output = (await two.end_of("f"))["output"]
    assert "scheduled an activity task named 'a' with sequence ID 1, but the current replay execution hasn't" in output


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
    assert not engine._waiters
    assert len(engine.core.timers) == 0


async def test_histories_of_many_waiting_instances_are_read_again(
    host: HostMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions_host.durable.instances.HISTORIES_IN_MEMORY", 2)
    one = await host(recorded_app.build())
    for number in range(6):
        await one.start_new("longrun", f"w{number}")
    await one.quiet()
    kept = [instance for instance in one.engine.orchestrations.live if instance.parts is not None]
    assert len(kept) == 2
    await one.stop()
    two = await host(recorded_app.build())
    await two.quiet()
    assert not any(instance.parts for instance in two.engine.orchestrations.live), "what waits is not read at start"
    for number in range(6):
        await raise_event(two, f"w{number}", "go", number)
        assert (await two.end_of(f"w{number}"))["output"] == number


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


@pytest.mark.parametrize(
    ("version", "default", "strategy", "status"),
    [
        ("1.0", "2.0", "CurrentOrOlder", "Completed"),
        ("2.0", "2.0", "CurrentOrOlder", "Completed"),
        ("10.0", "9.1", "CurrentOrOlder", "Pending"),
        (None, "2.0", "Strict", "Completed"),
        ("1.0", "2.0", "Strict", "Pending"),
        ("3.0", "2.0", "None", "Completed"),
        ("2.0", None, "CurrentOrOlder", "Pending"),
    ],
)
async def test_which_versions_run(
    host: HostMaker, version: str | None, default: str | None, strategy: str, status: str
) -> None:
    options = DurableOptions(hub_name="Golden", default_version=default, version_match=strategy)
    one = await host(recorded_app.build(), options)
    query = f"?version={version}" if version else ""
    assert (await one.call("POST", f"orchestrators/chain/v{query}", {})).status == 202
    await one.quiet()
    assert (await one.call("GET", "instances/v")).body["runtimeStatus"] == status


async def test_a_version_that_must_not_run_fails_if_the_host_says_so(host: HostMaker) -> None:
    options = DurableOptions(hub_name="Golden", default_version="1.0", version_failure="Fail")
    one = await host(recorded_app.build(), options)
    await one.call("POST", "orchestrators/chain/v?version=2.0", {})
    status = await one.end_of("v")
    assert status["runtimeStatus"] == "Failed"
    assert "version '2.0' of 'chain' does not match this host's version '1.0'" in status["output"]
    assert not one.runner.contexts, "its function was not run"


async def test_the_version_reaches_the_function_and_its_children(host: HostMaker) -> None:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def child(context: df.DurableOrchestrationContext) -> Steps:
        if False:
            yield
        return context.version

    @app.orchestration_trigger(context_name="context")
    def parent(context: df.DurableOrchestrationContext) -> Steps:
        default = yield context.call_sub_orchestrator("child")
        chosen = yield context.call_sub_orchestrator("child", version="0.5")
        return [context.version, default, chosen]

    one = await host(app, DurableOptions(hub_name="Golden", default_version="2.0"))
    assert (await one.run("parent", "p"))["output"] == ["2.0", "2.0", "0.5"]


async def test_a_result_that_comes_after_termination_is_dropped(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("timeoutany", "t")
    await one.until(lambda: one.engine.health()["activities"] == 1)
    await one.call("POST", "instances/t/terminate?reason=enough")
    assert (await one.end_of("t"))["output"] == "enough"
    await one.quiet()
    assert one.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]
    assert one.engine.store.read("SELECT count(*) FROM tasks") == [(0,)]


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
