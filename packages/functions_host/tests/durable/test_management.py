"""The management API beyond what the recordings hold."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
import pytest
from functions_host.durable import DurableOptions
from functions_host.durable.clock import wire

from . import recorded_app

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


async def test_client_binding_has_the_urls_the_sdk_reads(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    client = df.DurableOrchestrationClient(one.engine.client_binding(None, None))
    assert client._orchestration_bindings.rpc_base_url == "http://127.0.0.1:7071/runtime/webhooks/durabletask/"
    urls = client.create_http_management_payload("abc")
    assert urls["id"] == "abc"
    one_instance = "http://127.0.0.1:7071/runtime/webhooks/durabletask/instances/abc"
    query = "taskHub=Golden&connection=Storage"
    assert urls["statusQueryGetUri"] == f"{one_instance}?{query}"
    assert urls["rewindPostUri"] == f"{one_instance}/rewind?reason={{text}}&{query}"
    assert urls["sendEventPostUri"] == f"{one_instance}/raiseEvent/{{eventName}}?{query}"
    assert json.loads(one.engine.client_binding("Hub2", "Conn"))["taskHubName"] == "Hub2"


async def test_rewind_runs_again_what_failed_and_nothing_else(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    status = await one.run("flakyfail", "r")
    assert status["runtimeStatus"] == "Failed"
    for _ in range(2):
        assert (await one.call("POST", "instances/r/rewind?reason=again")).status == 202
        status = await one.end_of("r")
    assert status["runtimeStatus"] == "Completed"
    assert status["output"] == ["before", "ok after 3"]
    context = json.loads(one.runner.contexts[-1][2])
    generic = [event for event in context["history"] if event["EventType"] == 17]
    assert [event["Data"] for event in generic if event["EventId"] == -1 and event["Data"]] == ["again", "again"]
    taken_out = [(event["EventId"], event["IsPlayed"]) for event in generic if event["Data"] is None]
    # Of each rewind: the schedule, the failure, the end, which had the next number.
    assert taken_out[:3] == [(1, False), (-1, True), (2, False)]
    completed = [event["TaskScheduledId"] for event in context["history"] if event["EventType"] == 5]
    assert completed == [0, 1], "what is done again has the id it had"


async def test_rewind_reaches_the_child_that_failed(host: HostMaker) -> None:
    app = df.DFApp()
    attempts: list[int] = []

    @app.activity_trigger(input_name="x")
    def fragile(x: int) -> str:
        attempts.append(x)
        if len(attempts) == 1:
            raise ValueError("first time")
        return "worked"

    @app.orchestration_trigger(context_name="context")
    def child(context: df.DurableOrchestrationContext) -> Steps:
        result = yield context.call_activity("fragile", 1)
        return result

    @app.orchestration_trigger(context_name="context")
    def parent(context: df.DurableOrchestrationContext) -> Steps:
        result = yield context.call_sub_orchestrator("child", None, "kid")
        return f"child {result}"

    one = await host(app)
    assert (await one.run("parent", "p"))["runtimeStatus"] == "Failed"
    assert (await one.call("POST", "instances/p/rewind?reason=x")).status == 202
    assert (await one.end_of("p"))["output"] == "child worked"
    assert (await one.end_of("kid"))["output"] == "worked"


async def test_rewind_of_what_has_not_failed(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.run("chain", "c", {})
    answer = await one.call("POST", "instances/c/rewind?reason=x")
    assert answer.status == 412
    assert answer.body == (
        'This orchestration has status Completed, but only orchestrations in the "Failed" state can be rewound.'
    )
    unknown = await one.call("POST", "instances/nope/rewind")
    assert (unknown.status, unknown.body) == (404, 'No orchestration with instance ID "$nope" found.')
    assert (await one.call("POST", "instances/nope/terminate")).text == ""


async def test_restart_with_a_new_and_with_the_same_id(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.call("POST", "orchestrators/chain/r", {"n": 1})
    await one.end_of("r")
    fresh = await one.call("POST", "instances/r/restart")
    assert fresh.status == 202
    assert fresh.body["id"] != "r"
    assert len(fresh.body["id"]) == 32
    assert fresh.headers["Location"] == fresh.body["statusQueryGetUri"]
    assert (await one.end_of(fresh.body["id"]))["input"] == {"n": 1}
    same = await one.call("POST", "instances/r/restart?restartWithNewInstanceId=false")
    assert same.body["id"] == "r"
    await one.end_of("r")
    unknown = await one.call("POST", "instances/nope/restart")
    assert unknown.status == 400
    assert unknown.body == {
        "Message": "InstanceId does not match a valid orchestration instance.",
        "ExceptionMessage": "An orchestrastion with the instanceId nope was not found.",
        "ExceptionType": "System.ArgumentException",
        "StackTrace": "",
    }
    await one.start_new("longrun", "busy")
    await one.quiet()
    busy = await one.call("POST", "instances/busy/restart?restartWithNewInstanceId=false")
    assert busy.status == 409
    assert list(busy.body) == ["Message", "ExceptionMessage", "ExceptionType", "StackTrace"]
    assert busy.body["ExceptionMessage"] == "An Orchestration instance with the status Running already exists."


async def test_a_restarted_one_has_its_input_compacted_and_an_execution_id_without_dashes(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.call("POST", "orchestrators/chain/r", raw=b'{"n":  1.50,\n "m": [ ]}')
    await one.end_of("r")
    again = await one.call("POST", "instances/r/restart")
    await one.end_of(again.body["id"])
    first, last = (json.loads(one.runner.contexts[n][2])["history"][1] for n in (0, -1))
    assert first["Input"] == '{"n":  1.50,\n "m": [ ]}'
    assert last["Input"] == '{"n":1.5,"m":[]}'
    assert re.fullmatch("[0-9a-f]{32}", last["OrchestrationInstance"]["ExecutionId"])
    assert len(first["OrchestrationInstance"]["ExecutionId"]) == 36
    assert (first["Generation"], last["Generation"]) == (0, 0)


async def test_a_start_with_null_has_the_text_null(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.call("POST", "orchestrators/longrun/n", raw=b"null")
    await one.call("POST", "orchestrators/longrun/e")
    await one.quiet()
    contexts = [json.loads(text) for _, _, text, _ in one.runner.contexts]
    assert [context["history"][1]["Input"] for context in contexts] == ["null", None]
    assert [context["input"] for context in contexts] == [None, None]
    for instance_id in "ne":
        assert (await one.call("GET", f"instances/{instance_id}")).body["input"] is None


async def test_purging_one(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.run("chain", "c", {})
    answer = await one.call("DELETE", "instances/c")
    assert (answer.status, answer.body) == (200, {"instancesDeleted": 1})
    assert (await one.call("DELETE", "instances/c")).status == 404
    assert (await one.call("GET", "instances/c")).status == 404
    for table in ("instances", "inputs", "history", "inbox"):
        assert one.engine.store.read(f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_purging_many_filters_by_final_statuses_only(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    for number in range(3):
        await one.run("chain", f"c{number}", {})
    await one.run("earlyfail", "f")
    await one.start_new("longrun", "w")
    await one.quiet()
    since = "createdTimeFrom=2020-01-01T00:00:00Z"
    for query in ("", "?createdTimeFrom=yesterday"):
        refused = await one.call("DELETE", f"instances{query}")
        assert (refused.status, refused.body) == (400, "Please provide value for 'createdTimeFrom' parameter.")
    assert (await one.call("DELETE", f"instances?{since}&createdTimeTo=2021-01-01")).status == 404
    failed = await one.call("DELETE", f"instances?{since}&runtimeStatus=Failed")
    assert failed.body == {"instancesDeleted": 1}
    completed = await one.call("DELETE", f"instances?{since}&runtimeStatus=Completed,Running")
    assert completed.body == {"instancesDeleted": 3}
    assert (await one.call("GET", "instances/w")).body["runtimeStatus"] == "Running"
    await one.run("chain", "c", {})
    await one.call("POST", "entities/counter/k?op=add", "1")
    await one.quiet()
    everything = await one.call("DELETE", f"instances/?{since}&runtimeStatus=Running")
    assert everything.body == {"instancesDeleted": 3}, "no status is left to filter by: the entity goes too"
    assert (await one.call("GET", "instances/w")).status == 404
    assert (await one.call("GET", "entities/counter/k")).status == 404
    assert len(one.engine.orchestrations.live) == 0
    await one.start_new("longrun", "w")
    assert (await one.call("DELETE", f"instances?{since}")).body == {"instancesDeleted": 1}


async def test_purging_an_instance_whose_function_runs_leaves_nothing(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    real = one.runner.run_orchestrator

    async def purge_meanwhile(name: str, context_json: str, instance_id: str) -> str:
        await one.engine.clients.purge([instance_id])
        return str(await real(name, context_json, instance_id))

    one.runner.run_orchestrator = purge_meanwhile
    await one.start_new("chain", "c")
    await one.quiet()
    for table in ("instances", "inputs", "history", "inbox"):
        assert one.engine.store.read(f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_purging_an_instance_while_it_continues_as_new_leaves_nothing(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    real = one.engine.store.submit
    purging: list[Any] = []

    def submit(writes: list[Any]) -> Any:
        future = real(writes)
        if (
            not purging
            and any("OR REPLACE INTO instances" in sql for sql, _ in writes)
            and len(one.runner.contexts) > 1
        ):
            purging.append(asyncio.ensure_future(one.engine.clients.purge(["e"])))
        return future

    one.engine.store.submit = submit
    await one.start_new("eternal", "e")
    await one.quiet()
    await asyncio.gather(*purging)
    assert purging, "it continued as new"
    await one.quiet()
    assert len(one.engine.orchestrations.live) == 0
    for table in ("instances", "inputs", "history", "inbox"):
        assert one.engine.store.read(f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_raising_an_event_looks_at_the_instance_before_the_body(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.run("chain", "done", {})
    bad = {"content-type": "text/plain"}
    assert (await one.call("POST", "instances/nope/raiseEvent/x", raw=b"{", headers=bad)).status == 404
    assert (await one.call("POST", "instances/done/raiseEvent/x", raw=b"{", headers=bad)).status == 410


async def test_suspended_instances_hold_their_work_back(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("longrun", "s")
    await one.settled()
    await one.call("POST", "instances/s/suspend?reason=wait")
    await one.status("s", "Suspended")
    await one.stop()
    two = await host(recorded_app.build())
    assert (await two.call("GET", "instances/s")).body["output"] == "wait"
    assert (await two.call("POST", "instances/s/suspend?reason=x")).status == 500
    await two.call("POST", "instances/s/raiseEvent/go", 1)
    await two.quiet()
    assert (await two.call("GET", "instances/s")).body["runtimeStatus"] == "Suspended"
    await two.call("POST", "instances/s/resume?reason=on")
    assert (await two.end_of("s"))["output"] == 1


async def test_pages_hold_every_instance_once(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    for number in range(7):
        await one.start_new("longrun", f"i{number}")
    seen, token = [], ""
    while True:
        headers = {"x-ms-continuation-token": token} if token else {}
        page = await one.call("GET", "instances/?top=3", headers=headers)
        seen += [row["instanceId"] for row in page.body]
        token = page.headers["x-ms-continuation-token"]
        if not token:
            break
    assert seen == [f"i{number}" for number in range(7)]


async def test_filters_by_creation(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.start_new("longrun", "old")
    await asyncio.sleep(0.02)
    between = one.engine.core.clock.now()
    await one.start_new("longrun", "new")
    later = await one.call("GET", f"instances?createdTimeFrom={wire(between)}")
    assert [row["instanceId"] for row in later.body] == ["new"]
    earlier = await one.call("GET", f"instances?createdTimeTo={wire(between)}")
    assert [row["instanceId"] for row in earlier.body] == ["old"]


async def test_another_task_hub_is_empty(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    await one.run("chain", "c", {})
    assert (await one.call("GET", "instances/c?TaskHub=other")).status == 404
    assert (await one.call("GET", "instances?taskHub=other")).body == []
    assert (await one.call("GET", "instances/c?taskHub=golden")).status == 200


async def test_replacing_a_running_instance_when_host_json_allows_it(host: HostMaker) -> None:
    one = await host(recorded_app.build(), DurableOptions(hub_name="Golden", replace_running=True))
    await one.call("POST", "orchestrators/longrun/r", {"n": 1})
    await one.quiet()
    assert (await one.call("POST", "orchestrators/longrun/r", {"n": 2})).status == 202
    await one.quiet()
    await one.call("POST", "instances/r/raiseEvent/go", "x")
    status = await one.end_of("r")
    assert (status["input"], status["output"]) == ({"n": 2}, "x")


async def test_odd_ids(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    odd = await one.call("POST", "orchestrators/chain/a%20b%3A%26%25d", {})
    assert odd.body["id"] == "a b:&%d"
    assert odd.headers["Location"].endswith("/instances/a+b%3A%26%25d?taskHub=Golden&connection=Storage")
    await one.quiet()
    assert (await one.call("GET", "instances/a%20b%3A%26%25d")).body["runtimeStatus"] == "Completed"
    assert (await one.call("POST", f"orchestrators/chain/{'x' * 256}", {})).status == 202


_CHARACTERS = "Orchestration instance ids must not contain /, \\, #, ?, or control characters."


@pytest.mark.parametrize(
    ("instance_id", "error"),
    [
        ("@counter@a", "instanceId (Parameter 'Orchestration instance ids must not start with @.')"),
        ("@a", "instanceId (Parameter 'Orchestration instance ids must not start with @.')"),
        *((f"a{character}b", f"instanceId (Parameter '{_CHARACTERS}')") for character in "\\#?\n\x00\x7f\x9f"),
        ("x" * 257, "Instance ID lengths must not exceed 256 characters."),
        ("\U0001f600" * 129, "Instance ID lengths must not exceed 256 characters."),
    ],
)
async def test_ids_that_the_extension_refuses(host: HostMaker, instance_id: str, error: str) -> None:
    one = await host(recorded_app.build(), accelerate=True)
    await one.call("POST", "entities/counter/a?op=add", "5")
    answer = await one.call("POST", f"orchestrators/chain/{quote(instance_id, safe='')}", {})
    assert answer.status == 400
    assert answer.body == {
        "Message": "One or more of the arguments submitted is incorrect",
        "ExceptionMessage": error,
        "ExceptionType": "System.ArgumentException",
        "StackTrace": "",
    }
    client = df.DurableOrchestrationClient(one.engine.client_binding(None, None))
    if not {"#", "?"} & {*instance_id}:
        # These end the path of the URL that the client makes.
        with pytest.raises(Exception, match=re.escape(error)):
            await client.start_new("chain", instance_id, {})
    await one.quiet()
    state = await client.read_entity_state(df.EntityId("counter", "a"))
    assert (state.entity_exists, state.entity_state) == (True, 5), "the entity is what it was"


async def test_an_id_with_a_slash_is_no_route_and_an_entity_s_key_with_one_no_list(host: HostMaker) -> None:
    one = await host(recorded_app.build(), accelerate=True)
    await one.call("POST", "entities/counter/a?op=add", "5")
    await one.quiet()
    assert (await one.call("POST", "orchestrators/chain/a%2Fb", {})).status == 404
    client = df.DurableOrchestrationClient(one.engine.client_binding(None, None))
    state = await client.read_entity_state(df.EntityId("counter", "a/b"))
    assert (state.entity_exists, state.entity_state) == (False, None)
    assert (await one.call("GET", "entities/counter/a%2Fb")).status == 404
    assert (await one.call("POST", "entities/counter/a%2Fb?op=add", "1")).status == 400
    assert (await one.call("POST", "entities/counter/a/b?op=add", "1")).status == 404


@pytest.mark.parametrize("raw", [b"[1]", b"5", b"true", b'"x"'])
async def test_bodies_are_kept_verbatim(host: HostMaker, raw: bytes) -> None:
    one = await host(recorded_app.build())
    await one.call("POST", "orchestrators/longrun/b", raw=raw)
    await one.quiet()
    assert json.loads(one.runner.contexts[0][2])["input"] == json.loads(raw)
    assert (await one.call("GET", "instances/b")).body["input"] == json.loads(raw)


async def test_a_start_that_waits_answers_when_the_instance_ends(host: HostMaker) -> None:
    one = await host(recorded_app.build())
    answer = await one.call("POST", "orchestrators/timer/t?timeout=20&pollingInterval=10")
    assert (answer.status, answer.body) == (200, "fired")


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ("timeout=1.0&pollingInterval=5", 400, "Total timeout 1 should be bigger than retry timeout 5"),
        ("timeout=nan&pollingInterval=1", 400, "TimeSpan does not accept floating point Not-a-Number values."),
        ("timeout=x&pollingInterval=1", 500, "System.FormatException"),
        ("timeout=1_0&pollingInterval=1", 500, "System.FormatException"),
        ("timeout=1e999&pollingInterval=1", 500, "System.OverflowException"),
        ("timeout=&pollingInterval=1", 202, None),
        ("timeout=x", 500, "System.FormatException"),
    ],
)
async def test_wrong_waiting_times_are_told_after_the_instance_has_started(
    host: HostMaker, query: str, status: int, error: str | None
) -> None:
    one = await host(recorded_app.build())
    answer = await one.call("POST", f"orchestrators/timer/t?{query}")
    assert answer.status == status
    assert error is None or error == answer.body.get("ExceptionType", answer.body["Message"])
    assert (await one.end_of("t"))["output"] == "fired"


async def test_an_orchestration_that_retried_and_went_on_can_be_rewound(host: HostMaker) -> None:
    app = df.DFApp()
    attempts: dict[str, int] = {}

    @app.activity_trigger(input_name="limit")
    def works_after(limit: list[Any]) -> str:
        name, failures = limit
        attempts[name] = attempts.get(name, 0) + 1
        if attempts[name] <= failures:
            raise ValueError(f"{name} {attempts[name]}")
        return f"{name} after {attempts[name]}"

    @app.orchestration_trigger(context_name="context")
    def flow(context: df.DurableOrchestrationContext) -> Steps:
        first = yield context.call_activity_with_retry("works_after", df.RetryOptions(5, 3), ["first", 1])
        with contextlib.suppress(Exception):
            yield context.call_activity("works_after", ["caught", 9])
        last = yield context.call_activity("works_after", ["last", 1])
        return [first, last]

    one = await host(app)
    assert (await one.run("flow", "f"))["runtimeStatus"] == "Failed"
    await one.call("POST", "instances/f/rewind?reason=again")
    assert (await one.end_of("f"))["output"] == ["first after 2", "last after 2"]
    assert attempts == {"first": 2, "caught": 1, "last": 2}, "only what made it fail is done again"
