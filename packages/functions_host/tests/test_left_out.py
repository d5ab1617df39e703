"""Functions that are not run, from outside: what a person sees, and what their callers get."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventHubConsumerClient
from host_support import HostProcess, http, wait_for

pytestmark = pytest.mark.e2e
MakeHost = Callable[..., HostProcess]

APP = """
import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="off")
def off(req: func.HttpRequest) -> str:
    return "runs"


@app.route(route="{anything}")
def on(req: func.HttpRequest) -> str:
    return "runs"


@app.timer_trigger(arg_name="tick", schedule="* * * * * *", run_on_startup=True)
def ticks(tick: func.TimerRequest) -> None:
    print("TICKED")


@app.queue_trigger(arg_name="message", queue_name="q", connection="C")
def on_order(message: func.QueueMessage) -> None: ...


@app.activity_trigger(input_name="x")
def act(x: str) -> str:
    return x


@app.entity_trigger(context_name="context")
def ent(context):
    context.set_result(1)


@app.orchestration_trigger(context_name="context")
def calls_activity(context):
    return (yield context.call_activity("act", "x"))


@app.orchestration_trigger(context_name="context")
def calls_entity(context):
    return (yield context.call_entity(df.EntityId("ent", "k"), "get"))


@app.event_hub_message_trigger(arg_name="event", event_hub_name="wide", connection="EventHubConnection")
def reads(event: func.EventHubEvent) -> None: ...
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "host.json").write_text("{}")
    (folder / "function_app.py").write_text(APP)
    settings = {f"AzureWebJobs.{name}.Disabled": "true" for name in ("off", "ticks", "act")}
    (folder / "local.settings.json").write_text(json.dumps({"Values": settings}))
    return folder


def status_of(host: HostProcess, orchestrator: str) -> dict[str, Any]:
    base = f"{host.url}/runtime/webhooks/durabletask"
    started = http("POST", f"{base}/orchestrators/{orchestrator}", json_body=None).json()["id"]

    def ended() -> dict[str, Any] | None:
        status = http("GET", f"{base}/instances/{started}").json()
        return status if status["runtimeStatus"] in ("Completed", "Failed") else None

    return wait_for(ended, "the orchestration to end")


def test_disabled_functions_do_not_run_and_fail_their_callers(host: MakeHost, app: Path) -> None:
    started = host(app, "--skip-unsupported", env={"AzureWebJobs__ent__Disabled": "true"}).start()
    assert http("GET", f"{started.url}/api/off").status == 404
    assert http("GET", f"{started.url}/api/other").text == "runs"
    listed = {one["name"]: one["isDisabled"] for one in http("GET", f"{started.url}/admin/functions").json()}
    assert {name for name, disabled in listed.items() if disabled} == {"off", "ticks", "act", "ent", "on_order"}
    assert http("GET", f"{started.url}/admin/functions/ticks").json()["isDisabled"] is True
    refused = http("POST", f"{started.url}/admin/functions/ticks", json_body={})
    assert (refused.status, "AzureWebJobs.ticks.Disabled" in refused.text) == (400, True)
    for orchestrator, name in (("calls_activity", "act"), ("calls_entity", "ent")):
        status = status_of(started, orchestrator)
        assert status["runtimeStatus"] == "Failed"
        assert f"'{name}' doesn't exist, is disabled" in status["output"]
    assert "TICKED" not in started.log
    assert "function on_order is not run: this host does not support its trigger 'queueTrigger'" in started.log


def test_without_the_option_an_unsupported_trigger_stops_the_start(host: MakeHost, app: Path) -> None:
    refused = host(app, "--no-event-hubs").launch()
    assert refused.process is not None
    assert refused.process.wait(20) == 1
    for text in ("'on_order': trigger 'queueTrigger'", "--skip-unsupported", "AzureWebJobs.<function>.Disabled"):
        assert text in refused.log


def test_a_hub_gets_the_partitions_asked_for_and_keeps_them(host: MakeHost, app: Path) -> None:
    def partitions(started: HostProcess) -> int:
        client = EventHubConsumerClient.from_connection_string(
            started.ready["eventHubConnection"], "$Default", eventhub_name="wide"
        )
        with client:
            return len(client.get_partition_ids())

    first = host(app, "--skip-unsupported", "--partitions", "WIDE=7").start()
    assert partitions(first) == 7
    assert first.stop() == 0
    second = host(app, "--skip-unsupported", "--partitions", "wide=3").start()
    assert partitions(second) == 7
    assert "has 7 partitions and keeps them; 3 were asked for" in second.log
