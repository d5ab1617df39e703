"""Entities: order, batches, answers, errors without rollback, deletion, scheduled signals, clean-up."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable import DurableOptions
from functions_host.durable.entity_calls import EntityAnswer, EntityCall
from functions_host.durable.messages import Operation

from . import recorded_app
from .durable_support import Host

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


def build() -> df.DFApp:
    app = df.DFApp()

    @app.entity_trigger(context_name="context")
    def log(context: df.DurableEntityContext) -> None:
        entries = context.get_state(list)
        if context.operation_name == "append":
            entries.append(context.get_input())
            context.set_state(entries)
            if entries[-1] == "bad":
                raise ValueError("bad entry")
            context.set_result(len(entries))
        elif context.operation_name == "delete":
            context.destruct_on_exit()
        else:
            context.set_result(entries)

    @app.orchestration_trigger(context_name="context")
    def many(context: df.DurableOrchestrationContext) -> Steps:
        target = df.EntityId("log", "many")
        for number in range(context.get_input()):
            context.signal_entity(target, "append", number)
        entries = yield context.call_entity(target, "read")
        return entries

    @app.orchestration_trigger(context_name="context")
    def failing(context: df.DurableOrchestrationContext) -> Steps:
        target = df.EntityId("log", "failing")
        try:
            yield context.call_entity(target, "append", "bad")
        except Exception as error:
            message = str(error)
        entries = yield context.call_entity(target, "read")
        return [message, entries]

    return app


async def signal(host: Host, key: str, operation: str, value: Any = None, name: str = "log") -> int:
    body = None if value is None else json.dumps(value)
    answer = await host.call("POST", f"entities/{name}/{key}?op={operation}", body)
    return answer.status


async def read(host: Host, key: str) -> Any:
    await host.quiet()
    answer = await host.call("GET", f"entities/log/{key}")
    return answer.body if answer.status == 200 else answer.status


async def test_operations_of_an_orchestration_are_done_in_order_and_in_one_call(host: HostMaker) -> None:
    one = await host(build())
    assert (await one.run("many", "m", 50))["output"] == list(range(50))
    batches = [json.loads(context)["batch"] for kind, _, context, _ in one.runner.contexts if kind == "entity"]
    assert [len(batch) for batch in batches] == [51]
    assert [operation["isSignal"] for operation in batches[0]] == [True] * 50 + [False]


async def test_batches_are_as_large_as_host_json_allows(host: HostMaker) -> None:
    one = await host(build(), DurableOptions(hub_name="Golden", max_entity_batch=20))
    assert (await one.run("many", "m", 50))["output"] == list(range(50))
    batches = [json.loads(context)["batch"] for kind, _, context, _ in one.runner.contexts if kind == "entity"]
    assert [len(batch) for batch in batches] == [20, 20, 11]


async def test_concurrent_signals_are_all_done_one_after_another(host: HostMaker) -> None:
    one = await host(build())
    statuses = await asyncio.gather(*(signal(one, "c", "append", number) for number in range(1, 101)))
    assert set(statuses) == {202}
    assert sorted(await read(one, "c")) == list(range(1, 101))
    states = [json.loads(answer)["entityState"] for kind, _, _, answer in one.runner.contexts if kind == "entity"]
    contexts = [json.loads(context)["state"] for kind, _, context, _ in one.runner.contexts if kind == "entity"]
    assert contexts[1:] == states[:-1], "each call starts from the state the one before left"


async def test_a_failed_call_raises_at_the_caller_and_takes_nothing_back(host: HostMaker) -> None:
    one = await host(build())
    assert (await one.run("failing", "f"))["output"] == ["bad entry", ["bad"]]


async def test_a_deleted_entity_can_be_written_again(host: HostMaker) -> None:
    one = await host(build())
    await signal(one, "d", "append", "first")
    await signal(one, "d", "delete")
    assert await read(one, "d") is None
    await signal(one, "d", "append", "second")
    assert await read(one, "d") == ["second"]


async def test_entities_that_are_gone_are_cleaned_up_on_request(host: HostMaker) -> None:
    one = await host(build())
    await signal(one, "stays", "append", "x")
    await signal(one, "goes", "delete")
    await one.quiet()
    assert await read(one, "goes") is None
    assert await one.engine.clients.clean_entities() == 1
    assert await read(one, "goes") == 404
    assert await read(one, "stays") == ["x"]


async def test_signals_survive_a_stop_and_are_done_once(host: HostMaker) -> None:
    one = await host(build())
    one.engine._scheduler._stopped = True
    for number in range(1, 6):
        assert await signal(one, "s", "append", number) == 202
    await one.stop()
    two = await host(build())
    assert await read(two, "s") == [1, 2, 3, 4, 5]
    assert two.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]


async def test_a_scheduled_signal_waits_for_its_time_even_over_a_restart(host: HostMaker) -> None:
    one = await host(build())
    now = one.engine.core.clock.now()
    message = one.engine.core.message("@log@later", Operation("some id", "append", '"1"'), now + 150_000)
    await one.engine.store.submit([message.insert()])
    one.engine.entities.deliver(message)
    assert await read(one, "later") == 404
    await one.stop()
    two = await host(build())
    assert await read(two, "later") == 404
    await two.until(lambda: two.engine.store.read("SELECT 1 FROM instances WHERE instance_id='@log@later'"))
    assert await read(two, "later") == [1]
    assert two.engine.core.clock.now() >= now + 150_000


async def test_the_protocol_s_scheduled_signal_action_is_known(host: HostMaker) -> None:
    """The SDK has no API for it, other out-of-process SDKs do."""
    one = await host(build())
    due = "2030-01-01T00:00:00Z"
    action = {"actionType": 10, "instanceId": "@log@later", "operation": "append", "input": "1", "fireAt": due}

    async def answer(name: str, context_json: str, instance_id: str) -> str:
        return json.dumps({"isDone": True, "schemaVersion": 2, "actions": [[action]], "output": "sent"})

    one.runner.run_orchestrator = answer
    status = await one.run("many", "m", 1)
    assert status["output"] == "sent"
    assert one.engine.store.read("SELECT instance_id, due FROM inbox") == [("@log@later", 1893456000_000000)]
    sent = (await one.call("GET", "instances/m?showHistory=true")).body["historyEvents"][1]
    assert sent["Name"] == f"op@{due}"


async def test_entities_beyond_what_memory_keeps_are_read_again(
    host: HostMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions_host.durable.entities.KEPT_IN_MEMORY", 3)
    one = await host(build())
    for turn in (1, 2):
        for number in range(8):
            await signal(one, f"k{number}", "append", turn)
            await one.quiet()
    assert len(one.engine.entities._known) <= 4
    for number in range(8):
        assert await read(one, f"k{number}") == [1, 2]


async def test_a_purged_entity_starts_anew(host: HostMaker) -> None:
    one = await host(build())
    await signal(one, "p", "append", 1)
    assert await read(one, "p") == [1]
    assert (await one.call("DELETE", "instances/@log@p")).status == 200
    await signal(one, "p", "append", 2)
    assert await read(one, "p") == [2]


async def test_operations_for_an_entity_that_is_not_registered_any_more_wait(
    host: HostMaker, caplog: pytest.LogCaptureFixture
) -> None:
    one = await host(build())
    one.engine._scheduler._stopped = True
    await signal(one, "w", "append", 1)
    await one.stop()
    two = await host(recorded_app.build())
    await two.until(lambda: "the function 'log' is not registered; 1 operation(s) wait" in caplog.text)
    await two.stop()
    three = await host(build())
    assert await read(three, "w") == [1]


async def test_calls_to_an_entity_that_breaks_outside_an_operation_fail(host: HostMaker) -> None:
    one = await host(build())

    async def broken(name: str, call: EntityCall, instance_id: str) -> EntityAnswer:
        raise RuntimeError("no interpreter")

    one.runner.run_entity = broken
    status = await one.run("failing", "f")
    assert status["runtimeStatus"] == "Failed"
    assert "no interpreter" in status["output"]


async def test_an_entity_purged_while_it_runs_stays_gone(host: HostMaker) -> None:
    one = await host(build())
    real = one.runner.run_entity

    async def purge_meanwhile(name: str, call: EntityCall, instance_id: str) -> EntityAnswer:
        await one.engine.clients.purge([instance_id])
        answer: EntityAnswer = await real(name, call, instance_id)
        return answer

    one.runner.run_entity = purge_meanwhile
    await signal(one, "p", "append", 1)
    assert await read(one, "p") == 404
    assert one.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]


async def test_signals_taken_in_fewer_steps_are_what_they_would_be_otherwise(host: HostMaker) -> None:
    one = await host(build())
    stored: list[tuple[int, BaseException | None]] = []
    values = ['"\\"plain\\""', '"\\"\\u00e9\\""', '{"a": 1}', "3", ""]

    def note(error: BaseException | None) -> None:
        stored.append((one.engine.store.commits, error))

    for value in values:
        assert one.engine.signal("entities/LOG/quick key", [("op", "append")], value.encode(), note)
    assert not stored, "told before it is stored"
    await one.until(lambda: len(stored) == len(values))
    assert stored == [(stored[0][0], None)] * len(values), "in one transaction"
    for value in values:
        path = "entities/log/slow%20key?op=append"
        assert (await one.call("POST", path, raw=value.encode())).status == 202
    await one.quiet()
    batches = [json.loads(context) for kind, _, context, _ in one.runner.contexts if kind == "entity"]
    inputs = {
        key: [operation["input"] for batch in batches if batch["self"]["key"] == key for operation in batch["batch"]]
        for key in ("quick key", "slow key")
    }
    assert inputs["quick key"] == inputs["slow key"]
    assert len(inputs["quick key"]) == len(values)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("entities/nosuch/k", [("op", "append")]),
        ("entities/log/a%20b", [("op", "append")]),
        ("entities/log/a/b", [("op", "append")]),
        ("entities/log/", [("op", "append")]),
        ("entities/log/k", [("op", "append"), ("taskHub", "Other")]),
        ("entities/log/k", []),
        ("entities/log/a?b", [("op", "append")]),
        ("entities/log/k", [("op", "\ud800")]),
        ("instances/x/terminate", [("op", "append")]),
    ],
)
async def test_what_is_not_plainly_a_signal_is_left_to_the_management_api(
    host: HostMaker, path: str, query: list[tuple[str, str]]
) -> None:
    one = await host(build())
    assert not one.engine.signal(path, query, b"", lambda _: None)
    await one.quiet()
    assert one.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]
