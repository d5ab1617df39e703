"""The quicker stand-ins give the results of what they stand in for."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections import namedtuple
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest
from aiohttp import web
from azure.durable_functions import EntityId, OrchestrationRuntimeStatus
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus
from azure.durable_functions.models.EntityStateResponse import EntityStateResponse
from azure.durable_functions.models.PurgeHistoryResult import PurgeHistoryResult
from dateutil.parser import parse as dateutil_parse  # type: ignore[import-untyped]
from functions_host.durable import ManagementRequest
from functions_host.durable.acceleration import install_codec, install_executor, install_timestamps, parse_timestamp
from functions_host.durable.acceleration.patches import ALL, WRITTEN_FOR, Patch
from functions_host.durable.binding import WEBHOOK_PATH

from . import recorded_app
from .durable_support import AppRunner, Host
from .recorded import FOLDER, load, normal

HostMaker = Callable[..., Any]
EXECUTOR = importlib.import_module("azure.durable_functions.models.TaskOrchestrationExecutor")
HISTORY_EVENT = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")


@pytest.mark.parametrize("patch", ALL, ids=lambda patch: patch.name)
def test_the_sdk_s_code_is_what_each_patch_was_written_for(patch: Patch) -> None:
    assert patch.source_digest() == patch.digest, (
        f"azure-functions-durable {version('azure-functions-durable')}: {patch.code} is not what it was in "
        f"{WRITTEN_FOR}; see that the patch still gives equal results, then write the new digest down"
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T07:05:55Z",
        *(f"2026-11-23T07:05:55.{'8205639'[:digits]}Z" for digits in range(1, 8)),
        "2026-11-23T07:05:55.0000001Z",
        "2026-02-28T23:59:59.9999999Z",
        "2026-11-23T07:05:55.82056391234Z",
        "2026-11-23T07:05:55.8205639",
        "2026-11-23T07:05:55+02:00",
        "2026-11-23T07:05:55.8205639+00:00",
        "2026-11-23 07:05:55Z",
        "20261123T070555Z",
        "2026-11-23",
    ],
)
def test_timestamps_are_parsed_as_dateutil_does(text: str) -> None:
    ours, theirs = parse_timestamp(text), dateutil_parse(text)
    assert ours == theirs
    assert (ours.isoformat(), str(ours), repr(ours)) == (theirs.isoformat(), str(theirs), repr(theirs))


@pytest.mark.parametrize("text", ["", "garbage", "2026-13-23T07:05:55Z", "2026-11-23T07:05:55.12x4Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    for function in (dateutil_parse, parse_timestamp):
        with pytest.raises(ValueError, match=r"\w"):
            function(text)


def test_every_recorded_step_gets_the_same_answer_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers() -> list[str]:
        runner = AppRunner(recorded_app.build())
        found = []
        for path in sorted(FOLDER.glob("*.json")):
            for exchange in load(path.stem):
                if exchange["kind"] == "orchestrator" and exchange["name"] in runner.orchestrators:
                    try:
                        context = func.OrchestrationContext(json.dumps(exchange["context"]))
                        found.append(runner.orchestrators[exchange["name"]](context))
                    except Exception as error:
                        found.append(f"{type(error).__name__}: {error}")
        return found

    monkeypatch.setattr(HISTORY_EVENT, "dt_parse", dateutil_parse)
    monkeypatch.setattr(EXECUTOR, "namedtuple", namedtuple)
    slow = answers()
    install_timestamps()
    install_executor()
    install_codec()
    assert HISTORY_EVENT.dt_parse is parse_timestamp
    assert answers() == slow
    assert len(slow) > 100


@pytest.fixture
async def served(host: HostMaker) -> AsyncIterator[Host]:
    """A host whose management API is also on HTTP, where its clients look for it."""
    one = await host(recorded_app.build())

    async def handle(request: web.Request) -> web.Response:
        answer = await one.engine.handle_management(
            ManagementRequest(
                request.method,
                request.rel_url.raw_path[len(WEBHOOK_PATH) :],
                list(request.query.items()),
                {name.lower(): value for name, value in request.headers.items()},
                await request.read(),
                f"http://{request.host}",
            )
        )
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    app = web.Application()
    app.router.add_route("*", WEBHOOK_PATH + "/{rest:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    one.engine.base_url = f"http://127.0.0.1:{port}"
    yield one
    http_utils = importlib.import_module("azure.durable_functions.models.utils.http_utils")
    await http_utils._close_session()
    await runner.cleanup()


async def outcome(call: Awaitable[Any]) -> Any:
    """What a client call returned or raised, comparable."""
    try:
        result = await call
    except Exception as error:
        return f"{type(error).__name__}: {normal(str(error))}"
    if isinstance(result, list):
        return [shown(item) for item in result]
    return shown(result)


def shown(value: Any) -> Any:
    if isinstance(value, (DurableOrchestrationStatus, EntityStateResponse, PurgeHistoryResult)):
        return {key: shown(item) for key, item in vars(value).items()}
    if isinstance(value, datetime):
        return "<time>"
    return normal(value) if isinstance(value, (str, list, dict)) else repr(value)


async def client_calls(host: Host) -> list[Any]:
    """Everything a durable client can ask, and what came of it."""
    client = df.DurableOrchestrationClient(host.engine.client_binding(None, None))
    counter = EntityId("counter", "c 1")
    long_ago = datetime.now(timezone.utc) - timedelta(days=1)
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: client.start_new("chain", "c1", {"ä": "€ \U0001f600"}),
        lambda: client.start_new("longrun", "l1", None),
        lambda: client.start_new("longrun", "l1", 2),
        lambda: client.start_new("longrun", None, [1, 2]),
        lambda: client.start_new("flakyfail", "f1"),
        lambda: client.start_new("chain", "v1", version="9.9"),
        lambda: client.get_status("c1"),
        lambda: client.get_status("c1", show_history=True, show_history_output=True, show_input=True),
        lambda: client.get_status("unknown"),
        lambda: client.get_status("f1"),
        lambda: client.raise_event("l1", "other", {"a": [1, None]}),
        lambda: client.raise_event("unknown", "go"),
        lambda: client.raise_event("c1", "go"),
        lambda: client.suspend("l1", "a reason & more"),
        lambda: client.get_status("l1"),
        lambda: client.resume("l1", "on"),
        lambda: client.terminate("l1", "enough?"),
        lambda: client.terminate("unknown", "x"),
        lambda: client.get_status("l1"),
        lambda: client.rewind("c1", "x"),
        lambda: client.restart("c1", False),
        lambda: client.restart("unknown"),
        lambda: client.signal_entity(counter, "add", 3),
        lambda: client.signal_entity(counter, "get", None),
        lambda: client.signal_entity(EntityId("nosuch", "k"), "add", 1),
        lambda: client.read_entity_state(counter),
        lambda: client.read_entity_state(EntityId("counter", "never")),
        lambda: client.get_status_by(instance_id_prefix="c", runtime_status=[OrchestrationRuntimeStatus.Completed]),
        lambda: client.purge_instance_history("c1"),
        lambda: client.purge_instance_history("unknown"),
        lambda: client.purge_instance_history_by(long_ago, None, [OrchestrationRuntimeStatus.Terminated]),
        lambda: client.rewind("f1", "again"),
    ]
    outcomes = []
    for call in calls:
        outcomes.append(await outcome(call()))
        await host.settled()
        await host.quiet()
    return outcomes


async def test_a_client_gets_the_same_over_http_and_in_process(served: Host, host: HostMaker, tmp_path: Any) -> None:
    over_http = await client_calls(served)
    await served.stop()
    (tmp_path / "durable.db").unlink()
    inside = await client_calls(await host(recorded_app.build(), accelerate=True))
    for number, (one, other) in enumerate(zip(over_http, inside, strict=True)):
        assert one == other, f"call {number}"


async def test_the_client_works_from_another_event_loop(host: HostMaker) -> None:
    one = await host(recorded_app.build(), accelerate=True)
    binding = one.engine.client_binding(None, None)
    found: list[Any] = []

    def elsewhere() -> None:
        async def call() -> str:
            client = df.DurableOrchestrationClient(binding)
            return str(await client.start_new("chain", "x", {}))

        found.append(asyncio.run(call()))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert found == ["x"]
    assert (await one.end_of("x"))["runtimeStatus"] == "Completed"


async def test_stopping_gives_the_sdk_its_own_functions_back(host: HostMaker) -> None:
    client = importlib.import_module("azure.durable_functions.models.DurableOrchestrationClient")
    http_utils = importlib.import_module("azure.durable_functions.models.utils.http_utils")
    one = await host(recorded_app.build(), accelerate=True)
    assert client.post_async_request is not http_utils.post_async_request
    await one.stop()
    assert client.post_async_request is http_utils.post_async_request
    assert client.get_async_request is http_utils.get_async_request
    assert client.delete_async_request is http_utils.delete_async_request
