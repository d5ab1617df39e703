"""What the extension refuses or rewrites: large custom statuses, numbers that are none, ids of children."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable.jsontext import recompact

from .durable_support import Host

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


def strict(text: str) -> Any:
    """As any reader but Python's reads JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def build(attempts: list[str] | None = None) -> df.DFApp:
    app = df.DFApp()
    ran = attempts if attempts is not None else []

    @app.activity_trigger(input_name="x")
    def numbers(x: Any) -> Any:
        return [float("nan"), float("inf"), -float("inf"), {"deep": float("nan")}, 1.5]

    @app.orchestration_trigger(context_name="context")
    def status(context: df.DurableOrchestrationContext) -> Steps:
        context.set_custom_status(context.get_input())
        yield context.call_activity("numbers", None)
        return "over"

    @app.orchestration_trigger(context_name="context")
    def odd(context: df.DurableOrchestrationContext) -> Steps:
        context.set_custom_status({"odd": float("nan")})
        found = yield context.call_activity("numbers", float("inf"))
        return [found, float("-inf")]

    @app.orchestration_trigger(context_name="context")
    def child(context: df.DurableOrchestrationContext) -> Steps:
        ran.append(context.instance_id)
        given = context.get_input()
        if given:
            return (yield context.call_sub_orchestrator("child", given[1:], given[0]))
        return (yield context.call_activity("numbers", None))

    @app.orchestration_trigger(context_name="context")
    def parent(context: df.DurableOrchestrationContext) -> Steps:
        given = context.get_input()
        return (yield context.call_sub_orchestrator("child", given[1:], given[0]))

    @app.entity_trigger(context_name="context")
    def number(context: df.DurableEntityContext) -> None:
        context.set_state(context.get_state(lambda: 0.0) + float("nan"))

    return app


@pytest.mark.parametrize("text", ["x" * (17 * 512 - 2), "é" * (17 * 512 - 2), "\U0001f600" * (17 * 256 - 1)])
async def test_a_custom_status_over_16_kb_of_utf_16_fails_the_instance(host: HostMaker, text: str) -> None:
    one = await host(build())
    failed = await one.run("status", "s", text)
    assert failed["runtimeStatus"] == "Failed"
    assert failed["customStatus"] is None
    assert failed["output"] == (
        "Orchestrator function 'status' failed: The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. "
        "The current payload size is 17 KB."
    )
    assert (await one.run("status", "large", "x" * 1_000_000))["output"].endswith("payload size is 1,953 KB.")
    # Kilobytes are cut, not rounded.
    assert (await one.run("status", "t", text[:-1]))["runtimeStatus"] == "Completed"


async def test_numbers_that_are_none_become_strings(host: HostMaker) -> None:
    one = await host(build())
    await one.start_new("odd", "o")
    status = await one.end_of("o")
    numbers = ["NaN", "Infinity", "-Infinity", {"deep": "NaN"}, 1.5]
    assert (status["output"], status["customStatus"]) == ([numbers, "-Infinity"], {"odd": "NaN"})
    for _, _, context, _ in one.runner.contexts:
        strict(context)
    strict((await one.call("GET", "instances/o?showHistory=true&showHistoryOutput=true")).text)


async def test_numbers_that_are_none_in_what_was_given_are_shown_as_strings(host: HostMaker) -> None:
    one = await host(build())
    await one.call("POST", "orchestrators/status/n", raw=b'{"x": [NaN, -Infinity], "Infinity": "NaN"}')
    await one.call("POST", "entities/number/k?op=add")
    await one.end_of("n")
    await one.quiet()
    for path in ("instances/n", "instances/n?showHistory=true", "instances", "entities/number?fetchState=true"):
        strict((await one.call("GET", path)).text)
    assert strict((await one.call("GET", "entities/number/k")).text) == "NaN"
    given = strict((await one.call("GET", "instances/n")).text)["input"]
    assert given == {"x": ["NaN", "-Infinity"], "Infinity": "NaN"}


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        (["p"], "is that of an orchestration that waits for it"),
        (["kid", "p"], "is that of an orchestration that waits for it"),
        (["kid", "kid"], "is that of an orchestration that waits for it"),
        (["@number@k"], "Orchestration instance ids must not start with @"),
        (["a/b"], "Orchestration instance ids must not contain /, \\, #, ?, or control characters."),
        (["a\nb"], "Orchestration instance ids must not contain /, \\, #, ?, or control characters."),
        (["x" * 257], "Instance ID lengths must not exceed 256 characters."),
    ],
)
async def test_a_child_with_an_id_that_it_must_not_have_fails_its_caller(
    host: HostMaker, caplog: pytest.LogCaptureFixture, ids: list[str], error: str
) -> None:
    attempts: list[str] = []
    one = await host(build(attempts))
    await one.call("POST", "entities/number/k?op=add")
    await one.quiet()
    with caplog.at_level(logging.WARNING):
        status = await one.run("parent", "p", ids)
    assert status["runtimeStatus"] == "Failed"
    assert status["output"].startswith("Orchestrator function 'parent' failed:")
    assert error in status["output"]
    assert error in caplog.text, "who looks after the host reads which instance and why"
    assert await kind(one, "@number@k") == 1, "the entity is what it was"
    assert {*attempts} == {*ids[:-1]}, "what has such an id never runs"


@pytest.mark.parametrize(
    "action",
    [
        {"actionType": 2, "functionName": "child", "instanceId": ["no", "text"]},
        {"actionType": 5, "fireAt": "some day"},
        {"actionType": 8},
        {"actionType": 7, "instanceId": "@number@k", "operation": "add", "input": "1"},
        {"actionType": 99},
        {},
        "no object",
    ],
    ids=str,
)
async def test_actions_that_make_no_sense_fail_the_instance_at_once(host: HostMaker, action: Any) -> None:
    one = await host(build())

    async def answer(name: str, context_json: str, instance_id: str) -> str:
        return json.dumps({"isDone": False, "schemaVersion": 2, "actions": [[action]]})

    one.runner.run_orchestrator = answer
    await one.start_new("parent", "p")
    if action == {"actionType": 7, "instanceId": "@number@k", "operation": "add", "input": "1"}:
        await one.quiet()
        assert (await one.call("GET", "instances/p")).body["runtimeStatus"] == "Running", "this one makes sense"
        return
    assert (await one.end_of("p"))["runtimeStatus"] == "Failed"


async def test_the_next_execution_of_a_waiting_one_is_no_ancestor(host: HostMaker) -> None:
    """Once a child runs for nobody its id may have anybody's."""
    one = await host(build())
    assert (await one.run("parent", "p", ["kid"]))["runtimeStatus"] == "Completed"
    assert (await one.run("parent", "kid", ["p"]))["runtimeStatus"] == "Completed"


async def kind(host: Host, instance_id: str) -> int:
    ((found,),) = host.engine.store.read("SELECT kind FROM instances WHERE instance_id=?", (instance_id,))
    return int(found)


async def test_numbers_keep_every_digit(host: HostMaker) -> None:
    app = df.DFApp()
    large = 123456789012345678901234567890
    values = [large, -large, 18446744073709551616, 1e300, 0.1, 1.0, 12345678901234567]

    @app.activity_trigger(input_name="x")
    def echo(x: Any) -> Any:
        return x

    @app.orchestration_trigger(context_name="context")
    def flow(context: df.DurableOrchestrationContext) -> Steps:
        context.set_custom_status({"large": large})
        return (yield context.task_all([context.call_activity("echo", value) for value in values]))

    one = await host(app)
    status = await one.run("flow", "f")
    assert status["output"] == values
    assert [type(value) for value in status["output"]] == [type(value) for value in values]
    assert status["customStatus"] == {"large": large}


@pytest.mark.parametrize(
    "text", ['"plain"', '"é"', "12", "0", "007", '"a\\"b"', '"a" "b"', '"', "1.50", " 1", '"a\nb"']
)
def test_results_are_compacted_as_before(text: str) -> None:
    try:
        expected = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        expected = json.dumps(text, ensure_ascii=False)
    assert recompact(text) == expected
