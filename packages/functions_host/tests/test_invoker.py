from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest
from functions_host.clock import IDS
from functions_host.context import current, new_trace
from functions_host.durable import UserFunctionError
from functions_host.durable_runner import AppRunner
from functions_host.errors import FunctionFailed, FunctionTimeout, RetryInterrupted, StartError, UserError
from functions_host.functions import LoadedFunction, index
from functions_host.limits import thread_count
from functions_host.logs import LineFormatter
from functions_host.payloads import EMPTY
from in_process import LocalInvoker
from moved_clock import MovedClock

TICK = EMPTY


def functions(build: Callable[[df.DFApp], Any]) -> dict[str, LoadedFunction]:
    app = df.DFApp()
    build(app)
    return {function.name: function for function in index(app.get_functions())}


def timer(call: Callable[..., Any], *, retries: str | None = None) -> LoadedFunction:
    def build(app: df.DFApp) -> None:
        builder = app.timer_trigger(arg_name="tick", schedule="0 * * * * *")(call)
        if retries is not None:
            app.retry(strategy="fixed_delay", max_retry_count=retries, delay_interval="00:00:00")(builder)

    return functions(build)[call.__name__]


@pytest.fixture
def invoker() -> Iterator[Callable[..., LocalInvoker]]:
    made: list[LocalInvoker] = []

    def make(*arguments: Any, **settings: Any) -> LocalInvoker:
        made.append(LocalInvoker(*arguments, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


async def test_sync_functions_run_in_threads_and_async_ones_on_the_loop(invoker: Callable[..., LocalInvoker]) -> None:
    seen: dict[str, int] = {}

    def in_thread(tick: func.TimerRequest) -> None:
        seen["sync"] = threading.get_ident()

    async def on_loop(tick: func.TimerRequest) -> None:
        seen["async"] = threading.get_ident()

    run = invoker()
    await run.invoke(timer(in_thread), TICK)
    await run.invoke(timer(on_loop), TICK)
    assert seen["async"] == threading.get_ident() != seen["sync"]


async def test_the_thread_pool_has_the_size_that_was_asked_for(invoker: Callable[..., LocalInvoker]) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def busy(tick: func.TimerRequest) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    run, function = invoker(threads=2), timer(busy)
    await asyncio.gather(*(run.invoke(function, TICK) for _ in range(6)))
    assert most == 2


@pytest.mark.parametrize("text", ["0", "-1", "many"])
def test_a_wrong_thread_count_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", text)
    with pytest.raises(StartError, match="PYTHON_THREADPOOL_THREAD_COUNT"):
        thread_count()


def test_the_thread_count_is_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "3")
    assert thread_count() == 3


async def test_the_context_is_the_same_everywhere_in_an_invocation(invoker: Callable[..., LocalInvoker]) -> None:
    seen: list[tuple[str, str, str]] = []

    def f(tick: func.TimerRequest, context: func.Context) -> None:
        inside = current.get()
        assert inside is not None
        seen.append((context.invocation_id, inside.invocation_id, context.thread_local_storage.invocation_id))

    await invoker().invoke(timer(f), TICK)
    assert len(set(seen[0])) == 1
    assert current.get() is None


async def test_a_failure_carries_the_functions_own_exception(
    invoker: Callable[..., LocalInvoker], caplog: pytest.LogCaptureFixture
) -> None:
    def f(tick: func.TimerRequest) -> None:
        raise LookupError("nothing here")

    with pytest.raises(FunctionFailed) as caught:
        await invoker().invoke(timer(f), TICK)
    assert isinstance(caught.value.cause, UserError)
    assert caught.value.cause.type_name == "LookupError"
    record = caplog.records[-1]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[1] is caught.value.cause
    assert 'raise LookupError("nothing here")' in LineFormatter().format(record)


async def test_functions_that_run_too_long_are_ended(invoker: Callable[..., LocalInvoker]) -> None:
    async def slow(tick: func.TimerRequest) -> None:
        await asyncio.sleep(60)

    def slow_sync(tick: func.TimerRequest) -> None:
        time.sleep(0.6)

    run = invoker(timeout=0.1)
    run.start()
    for function in (timer(slow), timer(slow_sync)):
        with pytest.raises(FunctionFailed) as caught:
            await run.invoke(function, TICK)
        assert isinstance(caught.value.cause, FunctionTimeout)
    # The task that waited for them is not left cancelled.
    await asyncio.sleep(0)


async def test_half_an_hour_is_over_when_the_clock_says_so(invoker: Callable[..., LocalInvoker]) -> None:
    async def slow(tick: func.TimerRequest) -> None:
        await asyncio.sleep(3600)

    clock = MovedClock()
    run = invoker(timeout=1800, clock=clock)
    run.start()
    task = asyncio.ensure_future(run.invoke(timer(slow), TICK))
    await asyncio.sleep(0.01)
    await clock.advance(1790)
    assert not task.done()
    await clock.advance(20)
    with pytest.raises(FunctionFailed, match="timed out after 1800 s"):
        await task


async def test_cancelling_from_outside_is_no_timeout(invoker: Callable[..., LocalInvoker]) -> None:
    async def slow(tick: func.TimerRequest) -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(invoker(timeout=30).invoke(timer(slow), TICK))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_retries_see_their_number_and_the_last_failure(invoker: Callable[..., LocalInvoker]) -> None:
    seen: list[tuple[int, int, str | None]] = []

    def f(tick: func.TimerRequest, context: func.Context) -> None:
        retry = context.retry_context
        seen.append((retry.retry_count, retry.max_retry_count, retry.exception.message if retry.exception else None))
        raise ValueError(f"attempt {len(seen)}")

    with pytest.raises(FunctionFailed, match="attempt 3"):
        await invoker().invoke_with_retries(timer(f, retries="2"), TICK)
    assert seen == [(0, 2, None), (1, 2, "ValueError: attempt 1"), (2, 2, "ValueError: attempt 2")]


async def test_a_stop_between_retries_is_told_apart_from_a_failure(invoker: Callable[..., LocalInvoker]) -> None:
    stopping = asyncio.Event()

    def f(tick: func.TimerRequest) -> None:
        raise ValueError

    stopping.set()
    with pytest.raises(RetryInterrupted):
        await invoker().invoke_with_retries(timer(f, retries="-1"), TICK, stopping=stopping)


async def test_draining_waits_for_what_runs(invoker: Callable[..., LocalInvoker]) -> None:
    release = asyncio.Event()

    async def slow(tick: func.TimerRequest) -> None:
        await release.wait()

    run = invoker()
    task = asyncio.create_task(run.invoke(timer(slow), TICK))
    await asyncio.sleep(0.01)
    assert await run.drain(0.05) == 1
    release.set()
    assert await run.drain(5) == 0
    await task


async def test_outputs_are_sent_after_the_function_succeeded(invoker: Callable[..., LocalInvoker]) -> None:
    def build(app: df.DFApp) -> None:
        @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
        @app.event_hub_output(arg_name="out", event_hub_name="h", connection="C")
        def f(tick: func.TimerRequest, out: func.Out[str]) -> None:
            out.set("event")

        @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
        @app.event_hub_output(arg_name="out", event_hub_name="h", connection="C")
        def g(tick: func.TimerRequest, out: func.Out[str]) -> None:
            out.set("never")
            raise ValueError

        @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
        @app.event_hub_output(arg_name="$return", event_hub_name="h", connection="C")
        def h(tick: func.TimerRequest) -> str:
            return "returned"

    sent: list[Any] = []
    run, made = invoker(sent=sent), functions(build)
    await run.invoke(made["f"], TICK)
    with pytest.raises(FunctionFailed):
        await run.invoke(made["g"], TICK)
    await run.invoke(made["h"], TICK)
    assert sent == [("out", "string", "event"), ("$return", "string", "returned")]


async def test_a_value_without_a_return_binding_is_a_failure(invoker: Callable[..., LocalInvoker]) -> None:
    def f(tick: func.TimerRequest) -> None:
        return 5  # type: ignore[return-value]

    with pytest.raises(FunctionFailed, match="without a \\$return binding"):
        await invoker().invoke(timer(f), TICK)


async def test_activities_entities_and_orchestrators_are_run_for_the_engine(
    invoker: Callable[..., LocalInvoker],
) -> None:
    def build(app: df.DFApp) -> None:
        @app.activity_trigger(input_name="word", activity="Shout")
        def shout(word: str) -> str:
            return word.upper()

        @app.activity_trigger(input_name="what")
        async def echo(what: Any) -> Any:
            return what

        @app.activity_trigger(input_name="what")
        def boom(what: str) -> str:
            raise ValueError(f"bad {what}")

        @app.entity_trigger(context_name="context", entity_name="Counter")
        def counter(context: df.DurableEntityContext) -> None:
            context.set_state(context.get_state(int) or 0 + 1)

    made, run = functions(build), invoker()
    run.know(*made.values())
    runner = AppRunner(list(made.values()), run)
    assert (set(runner.activities), set(runner.entities)) == ({"Shout", "echo", "boom"}, {"Counter"})
    assert await runner.run_activity("Shout", '"abc"', "i") == '"ABC"'
    assert await runner.run_activity("echo", '{"a": [1, null]}', "i") == '{"a": [1, null]}'
    assert await runner.run_activity("echo", None, "i") == "null"
    with pytest.raises(UserFunctionError) as caught:
        await runner.run_activity("boom", '"x"', "i")
    assert (caught.value.type_name, caught.value.message) == ("ValueError", "bad x")
    assert "raise ValueError" in caught.value.stack
    assert "run_in_executor" not in caught.value.stack
    assert "runtime.py" not in caught.value.stack


def test_ids_that_are_made_together_are_as_good_as_others() -> None:
    made = [id_ for _ in range(50) for id_ in IDS.guids(100)] + [IDS.counted_guid() for _ in range(200)]
    assert len(set(made)) == len(made)
    assert all(uuid.UUID(id_).version == 4 and str(uuid.UUID(id_)) == id_ for id_ in made)
    assert IDS.guids(0) == []


def test_ids_and_traces_have_their_standard_forms() -> None:
    assert uuid.UUID(IDS.guid()).version == 4
    assert IDS.guid() != IDS.guid()
    version, trace, span, flags = new_trace().trace_parent.split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
    assert new_trace("garbage").trace_parent.count("-") == 3
