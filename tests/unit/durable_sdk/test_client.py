"""The client of 1.x asks the Durable HTTP API for instances, page by page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from typing import Any

import azure.durable_functions as df
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from durable_sdk import durable_client
from durable_sdk.v1 import close_session
from pipeline.durable import UNDER_WAY, DurableClient, Walk

TOKEN = "x-ms-continuation-token"
BEFORE = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)


class Instances:
    """Pages as the extension gives them: one may be empty and still carry a token."""

    def __init__(self) -> None:
        self.pages: list[list[str]] = []
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        number = int(request.headers.get(TOKEN, "0"))
        following = str(number + 1) if number + 1 < len(self.pages) else ""
        rows = [{"instanceId": instance} for instance in self.pages[number]]
        return web.json_response(rows, headers={TOKEN: following})


@pytest.fixture
def instances() -> Instances:
    return Instances()


@pytest.fixture
async def client(instances: Instances) -> AsyncIterator[DurableClient]:
    app = web.Application()
    app.router.add_get("/durabletask/instances", instances.answer)
    async with TestServer(app) as server:
        binding: Any = {"taskHubName": "Hub", "creationUrls": {}, "managementUrls": {"id": "ID"}}
        binding["rpcBaseUrl"] = str(server.make_url("/durabletask/"))
        yield durable_client(df.DurableOrchestrationClient(json.dumps(binding)))
        await close_session()


async def test_a_walk_takes_so_many_pages_and_goes_on_behind_them(instances: Instances, client: DurableClient) -> None:
    instances.pages = [["a", "b"], [], [], ["c"], ["d"]]
    walk = Walk(pages=2)
    assert await client.instance_ids("tele", BEFORE, UNDER_WAY, walk) == ["a", "b"]
    assert not walk.over
    assert await client.instance_ids("tele", BEFORE, UNDER_WAY, walk) == ["c"]
    assert not walk.over
    assert await client.instance_ids("tele", BEFORE, UNDER_WAY, walk) == ["d"]
    assert walk.over
    assert await client.instance_ids("tele", BEFORE, UNDER_WAY, walk) == ["a", "b"]
    asked = {
        "createdTimeTo": "2026-01-02T03:04:05.000678Z",
        "runtimeStatus": "Pending,Running",
        "instanceIdPrefix": "tele",
        "top": "100",
    }
    assert instances.asked == [asked] * 7


async def test_a_walk_that_fails_begins_anew(instances: Instances, client: DurableClient) -> None:
    instances.pages = [["a"], ["b"]]
    walk = Walk(pages=1, token="that the engine does not know")
    with pytest.raises(Exception, match="500"):
        await client.instance_ids("tele", BEFORE, UNDER_WAY, walk)
    assert await client.instance_ids("tele", BEFORE, UNDER_WAY, walk) == ["a"]
