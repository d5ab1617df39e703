"""Asks the HTTP functions as a host would: by route, with their bindings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import azure.durable_functions as df
import azure.functions as func

import http_api
from event_hub.sending import HubUnavailable, OutgoingEvent
from http_api.openapi import DOCUMENT
from pipeline.coverage import HubPartition
from tests.support.conformance import Description
from tests.support.extension import Extension


@dataclass
class FakeHub:
    """Keeps what was sent; ``down`` refuses."""

    sent: list[OutgoingEvent] = field(default_factory=list)
    down: bool = False
    error: Exception | None = None
    refused: str | None = None
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
