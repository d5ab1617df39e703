"""Which versions of an orchestration run on which host."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from functions_host.durable import DurableOptions

from . import recorded_app

Steps = Generator[Any, Any, Any]
HostMaker = Callable[..., Any]


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
