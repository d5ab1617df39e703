"""The HTTP functions as a host would call them: by route, with their bindings, over the real SQLite store."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import azure.durable_functions as df
import azure.functions as func
import pytest
from aiohttp import web
from azure.durable_functions.models.utils import http_utils

import http_api
import reference_data
import settings
import storage.factory
from durable_sdk import v1
from event_hub import sending, watch
from event_hub.sending import HubUnavailable, OutgoingEvent
from http_api import counting, health, stats
from http_api.openapi import DOCUMENT
from pipeline.coverage import HubPartition, Watch
from storage.sqlite import SqliteStore
from tests.openapi.conformance import Description
from tests.unit.http_api.extension import Extension


@dataclass
class FakeHub:
    """Keeps what was sent; ``down`` refuses."""

    sent: list[OutgoingEvent] = field(default_factory=list)
    down: bool = False
    error: Exception | None = None
    holds: list[HubPartition] = field(default_factory=list)

    async def send(self, events: list[OutgoingEvent]) -> None:
        if self.error is not None:
            raise self.error
        if self.down:
            raise HubUnavailable("ConnectError")
        self.sent += events

    async def partitions(self) -> list[HubPartition]:
        if self.down:
            raise HubUnavailable("ConnectError")
        return self.holds


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def _functions() -> list[tuple[str, re.Pattern[str], str, Any, bool]]:
    """(method, path, its template, function, whether it takes a durable client) of every registered function; literal
    paths first."""
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    for blueprint in http_api.blueprints:
        app.register_functions(blueprint)
    found = []
    for function in app.get_functions():
        bindings = {binding.type: binding for binding in function.get_bindings()}
        trigger = bindings["httpTrigger"]
        route = trigger.route.strip("/")
        pattern = re.sub(r"\{\*(\w+)\}", r"(?P<\1>.*)", route)
        pattern = re.sub(r"/\{(\w+)\?\}", r"(?:/(?P<\1>[^/]*))?", pattern)
        pattern = re.sub(r"(?<!\*)\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        for method in trigger.methods:
            name = getattr(method, "value", method)
            template = "/" + route.replace("{*", "{").replace("?}", "}")
            user_function = function.get_user_function()
            found.append((name, re.compile(pattern), template, user_function, "durableClient" in bindings))
    return sorted(found, key=lambda entry: entry[1].pattern.count("(?P"))


FUNCTIONS = _functions()
DESCRIPTION = Description(DOCUMENT)


class Client:
    """Asks the functions as the host does: path parts decoded once, the query in the URL."""

    def __init__(self, extension: Extension) -> None:
        self._extension = extension

    async def __call__(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        path = urlsplit(url).path.removeprefix("/")
        fitting = [
            (match, template, function, durable)
            for known, pattern, template, function, durable in FUNCTIONS
            if known == method and (match := pattern.fullmatch(path))
        ]
        match, template, function, durable = fitting[0]
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = dict(headers or {})
        if data and "content-type" not in {name.lower() for name in sent}:
            sent["content-type"] = "application/json"
        request = func.HttpRequest(
            method,
            "http://localhost:7071" + url,
            headers=sent,
            route_params={name: unquote(value) for name, value in match.groupdict().items() if value},
            body=data,
        )
        bound = {"client": self._extension.binding()} if durable else {}
        response = await function(req=request, **bound)
        answered = {name.lower(): value for name, value in response.headers.items()}
        # As azure.functions' converter does it: text gets its charset there.
        text = response.mimetype.startswith("text/")
        answered["content-type"] = response.mimetype + (f"; charset={response.charset}" if text else "")
        DESCRIPTION.check(method, template, response.status_code, answered, response.get_body())
        return Answer(response.status_code, answered, response.get_body())

    async def get(self, url: str, **headers: str) -> Answer:
        return await self("GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def post(self, url: str, body: Any = None, **headers: str) -> Answer:
        return await self("POST", url, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings of their own for each test: ``environment.setenv`` before the first request."""
    for name in ("AUTH_MODE", "WEBSITE_AUTH_ENABLED", "WEBSITE_INSTANCE_ID", "MAP_TILES_URL", "INJECT_FAULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    for setting, nothing in (("REGISTRY_FILE", []), ("ZONES_FILE", {"type": "FeatureCollection", "features": []})):
        (tmp_path / setting).write_text(json.dumps(nothing))
        monkeypatch.setenv(setting, str(tmp_path / setting))
    _forget_settings()
    monkeypatch.setattr(health, "_checkup", health.Checkup())
    monkeypatch.setattr(stats, "_drones", counting.DroneCounter())
    yield monkeypatch
    _forget_settings()


def _forget_settings() -> None:
    settings.get_settings.cache_clear()
    settings.get_event_hub.cache_clear()
    reference_data._files.cache_clear()


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "data")
    await opened.open()
    monkeypatch.setattr(storage.factory, "_store", opened)
    yield opened
    await opened.close()


@pytest.fixture
async def extension() -> AsyncIterator[Extension]:
    extension = Extension()
    runner = web.AppRunner(extension.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    extension.url = f"http://127.0.0.1:{port}/durabletask/"
    yield extension
    await v1.close_session()
    await http_utils._close_session()  # the SDK's own, which lives in this test's loop
    await runner.cleanup()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub()
    for module in (http_api.telemetry_in, http_api.recovery, watch, sending):
        monkeypatch.setattr(module, "get_hub", lambda: fake)
    monkeypatch.setattr(watch, "_watch", Watch())
    monkeypatch.setattr(watch, "_told", set())
    return fake


@pytest.fixture
async def ask(store: SqliteStore, extension: Extension, hub: FakeHub) -> Client:
    return Client(extension)
