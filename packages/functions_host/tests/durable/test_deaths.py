"""Work items that kill what runs them: tried again, then failed; what ran beside them is not."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable import DurableOptions, WorkItemLostError
from functions_host.durable.entity_calls import EntityCall

from .durable_support import Host

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


def build() -> df.DFApp:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def echo(x: Any) -> Any:
        return x

    @app.orchestration_trigger(context_name="context")
    def flow(context: df.DurableOrchestrationContext) -> Steps:
        return (yield context.call_activity("echo", context.get_input()))

    @app.orchestration_trigger(context_name="context")
    def fan(context: df.DurableOrchestrationContext) -> Steps:
        return (yield context.task_all([context.call_activity("echo", n) for n in range(10)]))

    @app.entity_trigger(context_name="context")
    def adder(context: df.DurableEntityContext) -> None:
        context.set_state(context.get_state(lambda: 0) + context.get_input())

    return app


def deaths(host: Host) -> list[tuple[Any, ...]]:
    return list(host.engine.store.read("SELECT count FROM deaths ORDER BY 1"))


@pytest.mark.parametrize("kind", ["run_orchestrator", "run_activity"])
async def test_what_always_kills_its_process_is_failed_at_the_third_time(host: HostMaker, kind: str) -> None:
    one = await host(build())
    asked = 0

    async def die(*_: Any) -> str:
        nonlocal asked
        asked += 1
        raise WorkItemLostError("the worker process ended with exit code 9")

    setattr(one.runner, kind, die)
    status = await one.run("flow", "f", "x")
    assert status["runtimeStatus"] == "Failed"
    assert "died 3 times while it was running (the worker process ended with exit code 9)" in status["output"]
    assert asked == 3
    await one.quiet()
    assert deaths(one) == []


async def test_what_dies_once_goes_on_where_it_stood(host: HostMaker) -> None:
    one = await host(build())
    for kind in ("run_orchestrator", "run_activity"):
        real, lost = getattr(one.runner, kind), [0]

        async def once(*given: Any, real: Any = real, lost: list[int] = lost) -> Any:
            lost[0] += 1
            if lost[0] == 2:
                raise WorkItemLostError("the worker process ended")
            return await real(*given)

        setattr(one.runner, kind, once)
    assert (await one.run("flow", "f", "x"))["output"] == "x"
    assert (await one.run("flow", "g", "y"))["output"] == "y"
    await one.quiet()
    assert deaths(one) == []


async def test_what_ran_beside_it_is_run_again_however_often(host: HostMaker) -> None:
    one = await host(build())
    real, asked = one.runner.run_activity, 0

    async def beside(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked < 6:
            raise WorkItemLostError("another function of the worker process hung", blamed=False)
        return await real(*given)

    one.runner.run_activity = beside
    assert (await one.run("flow", "f", "x"))["output"] == "x"


async def test_one_that_kills_does_not_take_its_neighbours_with_it(host: HostMaker) -> None:
    """Ten activities run side by side in one process, which the fifth kills each time."""
    one = await host(build(), DurableOptions(hub_name="Golden", max_concurrent_activities=10))
    real = one.runner.run_activity
    process: list[asyncio.Future[None]] = [asyncio.get_running_loop().create_future()]

    async def run(name: str, text: str, instance: str) -> Any:
        mine = process[0]
        await asyncio.sleep(0)
        if text == "5":
            await asyncio.sleep(0.01)
            process[0] = asyncio.get_running_loop().create_future()
            mine.set_result(None)
        done, _ = await asyncio.wait([mine], timeout=0.05)
        if done:
            raise WorkItemLostError("the worker process was killed by signal 9")
        return await real(name, text, instance)

    one.runner.run_activity = run
    await one.start_new("fan", "f")
    status = await one.end_of("f")
    history = (await one.call("GET", "instances/f?showHistory=true")).body["historyEvents"]
    assert status["runtimeStatus"] == "Failed"
    kinds = [event["EventType"] for event in history]
    assert (kinds.count("TaskFailed"), kinds.count("TaskCompleted")) == (1, 9)


async def test_an_entity_loses_only_the_operation_that_kills(host: HostMaker) -> None:
    one = await host(build())
    real, sizes = one.runner.run_entity, []

    async def run(name: str, call: EntityCall, instance: str) -> Any:
        sizes.append(len(call.operations))
        if any(given == '"100"' for _, _, given, _ in call.operations):
            raise WorkItemLostError("the worker process ended with exit code 1")
        return await real(name, call, instance)

    one.runner.run_entity = run
    one.engine._scheduler._stopped = True
    for value in (1, 100, 2, 3):
        assert (await one.call("POST", "entities/adder/k?op=add", str(value))).status == 202
    one.engine._scheduler.start()
    await one.quiet()
    assert (await one.call("GET", "entities/adder/k")).body == 6
    assert sizes == [4, 1, 3, 1, 1, 2]


async def test_what_was_running_when_the_host_was_killed_is_counted_and_nothing_else(
    host: HostMaker, tmp_path: Any
) -> None:
    """A kill -9 leaves the file of what runs as it is; here a copy of it stands in for that."""
    left = b""
    for life in range(3):
        if left:
            (tmp_path / "running").write_bytes(left)
        one = await host(build())
        begun = asyncio.Event()

        async def hang(*_: Any, begun: asyncio.Event = begun) -> str:
            begun.set()
            await asyncio.Event().wait()
            return ""

        one.runner.run_activity = hang
        if life == 0:
            await one.start_new("flow", "f", "x")
        await begun.wait()
        left = (tmp_path / "running").read_bytes()
        assert deaths(one) == ([] if life == 0 else [(life,)])
        await one.stop(0.01)
    (tmp_path / "running").write_bytes(left)
    last = await host(build())
    status = await last.end_of("f")
    assert status["runtimeStatus"] == "Failed"
    assert "died 3 times" in status["output"]


async def test_an_orderly_stop_is_no_death(host: HostMaker) -> None:
    for life in range(4):
        one = await host(build())
        begun = asyncio.Event()

        async def hang(*_: Any, begun: asyncio.Event = begun) -> str:
            begun.set()
            await asyncio.Event().wait()
            return ""

        one.runner.run_activity = hang
        if life == 0:
            await one.start_new("flow", "f", "x")
        await begun.wait()
        assert deaths(one) == []
        await one.stop(0.01)
    assert (await (await host(build())).end_of("f"))["output"] == "x"


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), SystemExit(0), KeyboardInterrupt(), GeneratorExit()], ids=repr
)
@pytest.mark.parametrize("kind", ["run_orchestrator", "run_activity", "run_entity"])
async def test_whatever_a_function_lets_out_is_its_own_failure(
    host: HostMaker, kind: str, error: BaseException
) -> None:
    one = await host(build())
    real, raised = getattr(one.runner, kind), 0

    async def once(*given: Any) -> Any:
        nonlocal raised
        raised += 1
        if raised == 1:
            raise error
        return await real(*given)

    setattr(one.runner, kind, once)
    if kind == "run_entity":
        for value in (1, 2):
            assert (await one.call("POST", "entities/adder/k?op=add", str(value))).status == 202
            await one.quiet()
        assert (await one.call("GET", "entities/adder/k")).body == 2
    else:
        assert (await one.run("flow", "f", "x"))["runtimeStatus"] == "Failed"
    assert (await one.run("flow", "g", "y"))["output"] == "y"
