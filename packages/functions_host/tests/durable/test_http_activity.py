"""call_http against a server of the test's own."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest
from aiohttp import web

HostMaker = Callable[..., Any]


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hi", headers={"X-Probe": "1", "Server": "One/1.0 two/2.0"})

    async def accepted(request: web.Request) -> web.Response:
        seen = {"got": await request.text(), "headers": dict(request.headers)}
        return web.json_response(seen, status=202, headers={"Location": "/poll", "Retry-After": "1"})

    app = web.Application()
    app.router.add_get("/hello", hello)
    app.router.add_post("/accepted", accepted)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def build(base: str) -> df.DFApp:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calls(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        first = yield context.call_http("GET", f"{base}/hello")
        second = yield context.call_http("POST", f"{base}/accepted", json.dumps({"a": 1}), {"x-test": "1"})
        third = yield context.call_http("POST", f"{base}/accepted", "raw", {"Content-Type": "text/csv"}, None, True)
        return [first, second, third]

    @app.orchestration_trigger(context_name="context")
    def nowhere(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        try:
            yield context.call_http("GET", "http://127.0.0.1:1/")
        except Exception as error:
            return str(error)

    return app


async def test_requests_and_answers_are_as_recorded(host: HostMaker, server: str) -> None:
    one = await host(build(server))
    first, second, third = (await one.run("calls", "h"))["output"]
    assert (first["statusCode"], first["content"]) == (200, "hi")
    assert first["headers"]["X-Probe"] == "1"
    assert first["headers"]["Server"] == ["One/1.0", "two/2.0"]
    assert not {name.lower() for name in first["headers"]} & {"content-type", "content-length"}
    assert second["statusCode"] == 202, "it is not polled"
    assert second["headers"]["Location"] == "/poll"
    seen = json.loads(second["content"])
    assert seen["got"] == json.dumps(json.dumps({"a": 1})), "the SDK encodes text again"
    assert seen["headers"]["x-test"] == "1"
    assert seen["headers"]["Content-Type"] == "text/plain"
    assert seen["headers"]["User-Agent"] == "Microsoft.Azure.WebJobs.Extensions.DurableTask/3.15.0"
    assert json.loads(third["content"])["got"] == "raw"
    assert json.loads(third["content"])["headers"]["Content-Type"] == "text/csv"
    scheduled = (await one.call("GET", "instances/h?showHistory=true")).body["historyEvents"]
    assert scheduled[1]["FunctionName"] == "BuiltIn::HttpActivity"


async def test_no_answer_fails_the_task(host: HostMaker, server: str) -> None:
    one = await host(build(server))
    output = (await one.run("nowhere", "n"))["output"]
    assert "Activity function 'BuiltIn::HttpActivity' failed:  HttpRequestException:" in output
