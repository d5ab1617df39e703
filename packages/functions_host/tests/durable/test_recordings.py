"""The recorded app runs here; contexts, answers, histories and HTTP are held against the real extension's."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from . import recorded_app
from .durable_support import Answer, Host
from .recorded import comparable, load, normal

# Events are sent while an activity runs.
HURRIED = ("events_buffered",)
# Instances that the real one let in over HTTP and this host refuses, by the rule of the extension's own client: what a
# caller starts under an entity's id would take the entity's place.
REFUSED = {"mgmt_start": "my id?with#odd", "unknowns": "@unk"}
# What had happened before the recording began.
BEFORE: dict[str, list[tuple[str, str, Any]]] = {
    "mgmt_pending": [("POST", "orchestrators/chain/ver-1?version=2.0", {"a": 1})],
    "mgmt_list": [("POST", "entities/counter/?op=add", "3")],
    "entity_rawbody": [("POST", "orchestrators/locks", None), ("POST", "orchestrators/entityops", None)],
    "entity_list": [
        *(
            ("POST", f"entities/counter/{key}?op=add", value)
            for key, value in {"": "3", "MixedCase": "11", "burst": "1001", "k1": "4", "pe1": "303", "pe2": "3"}.items()
        ),
    ],
}

# Every context, in order: what the real extension handed over one event at a time comes one at a time here too.
EXACT = [
    "badresult",
    "bigpayload",
    "chain",
    "chain_noinput",
    "earlyfail",
    "entityops",
    "eternal",
    "events",
    "events_buffered",
    "fails",
    "locks",
    "longtimer",
    "retnone",
    "suspend_resume",
    "subfail",
    "timer",
    "unawaited",
    "uuidfail",
]
# Here completions that come close together share an episode, so contexts are fewer; ends and histories are the same.
SAME_END = [
    "anytasks",
    "fanout",
    "fanout_mixed",
    "inputs",
    "mgmt_resume_running",
    "parent",
    "parentity",
    "retry",
    "terminate",
    "unknowns",
]
HTTP_ONLY = [
    "entity",
    "entity_batch_rawbody",
    "entity_list",
    "entity_rawbody",
    "mgmt_list",
    "mgmt_pending",
    "mgmt_start",
    "mgmt_status",
]


@pytest.mark.parametrize("scenario", EXACT)
async def test_contexts_answers_and_http_are_the_recorded_ones(host: Callable[..., Any], scenario: str) -> None:
    played = await play(await host(recorded_app.build()), scenario)
    ours = by_instance(played.contexts())
    theirs = by_instance(recorded_contexts(scenario))
    assert ours.keys() == theirs.keys()
    for instance, exchanges in theirs.items():
        for index, expected in enumerate(exchanges):
            assert ours[instance][index] == expected, f"{instance}, step {index + 1}"
        assert len(ours[instance]) == len(exchanges)


@pytest.mark.parametrize("scenario", SAME_END)
async def test_first_contexts_last_answers_and_http_are_the_recorded_ones(
    host: Callable[..., Any], scenario: str
) -> None:
    played = await play(await host(recorded_app.build()), scenario)
    ours = by_instance(played.contexts())
    for instance, exchanges in by_instance(recorded_contexts(scenario)).items():
        assert ours[instance][0] == exchanges[0]
        assert answer_of(ours[instance][-1]) == answer_of(exchanges[-1])
        assert shapes(ours[instance]) == shapes(exchanges)


@pytest.mark.parametrize("scenario", HTTP_ONLY)
async def test_http_answers_are_the_recorded_ones(host: Callable[..., Any], scenario: str) -> None:
    await play(await host(recorded_app.build()), scenario)


class Played:
    """What a run of a scenario left."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def contexts(self) -> list[tuple[str, str]]:
        return [
            (instance_of(kind, json.loads(context)), comparable([json.loads(context), json.loads(answer)]))
            for kind, _, context, answer in self._host.runner.contexts
        ]


def recorded_contexts(scenario: str) -> list[tuple[str, str]]:
    return [
        (instance_of(e["kind"], e["context"]), comparable([e["context"], e["answer"]]))
        for e in load(scenario)
        if e["kind"] in ("orchestrator", "entity") and instance_of(e["kind"], e["context"]) != REFUSED.get(scenario)
    ]


def instance_of(kind: str, context: dict[str, Any]) -> str:
    if kind == "entity":
        return f"@{context['self']['name']}@{context['self']['key']}"
    return str(normal(context["instanceId"]))


def by_instance(exchanges: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped = defaultdict(list)
    for instance, text in exchanges:
        grouped[instance].append(text)
    return grouped


def answer_of(exchange: str) -> Any:
    return json.loads(exchange)[1]


def shapes(exchanges: list[str]) -> set[tuple[str, ...]]:
    """Keys in order, by event type, of all events an instance saw."""
    seen = set()
    for exchange in exchanges:
        context = json.loads(exchange)[0]
        for event in context.get("history", ()):
            seen.add((str(event["EventType"]), *event.keys()))
    return seen


async def play(host: Host, scenario: str) -> Played:
    """Send the recorded requests in order, each when the recorded answer can be had, and compare the answers."""
    if scenario == "entity_list":
        await host.engine.clients.start_instance("chain", "@unk", '{"a":1}', None)
    for method, path, body in BEFORE.get(scenario, ()):
        await host.call(method, path, body)
    ordered = scenario in EXACT
    for exchange in load(scenario):
        if exchange["kind"] != "http":
            continue
        if scenario in REFUSED and REFUSED[scenario] in unquote(exchange["url"]):
            assert (await send(host, exchange)).status == (400 if exchange["method"] == "POST" else 404)
            continue
        if scenario in HURRIED:
            await (host.quiet() if exchange["method"] == "GET" else host.settled())
        elif exchange["status"] != 409:
            await calm(host)
        await expect(host, exchange, ordered)
    await host.settled()
    return Played(host)


async def calm(host: Host) -> None:
    """Until nothing runs; work that takes longer than the recorded driver waited goes on."""
    with contextlib.suppress(AssertionError):
        await host.until(host.is_quiet, 1.4 * recorded_app.SECOND)
    await host.settled()


async def expect(host: Host, exchange: dict[str, Any], ordered: bool) -> None:
    """The recorded answer, now or soon."""
    deadline = time.monotonic() + 5
    while True:
        difference = await compare(host, exchange, ordered)
        if difference is None:
            return
        assert time.monotonic() < deadline, difference
        await asyncio.sleep(0.01)


async def compare(host: Host, exchange: dict[str, Any], ordered: bool) -> str | None:
    answer = await send(host, exchange)
    told = f"{exchange['method']} {exchange['url']}"
    if answer.status != exchange["status"]:
        return f"{told}: {answer.status} {answer.text}, recorded {exchange['status']}"
    for name in ("Content-Type", "Location", "Retry-After", "x-ms-continuation-token", "Content-Length"):
        expected = exchange["answer_headers"].get(name)
        # The recorded tokens end with a blank that Azurite put there.
        if normal(answer.headers.get(name)) != normal(expected.rstrip() if expected else expected):
            return f"{told}: {name} is {answer.headers.get(name)!r}, recorded {expected!r}"
    body, recorded = answer.body, exchange["answer"]
    if isinstance(body, dict) and "StackTrace" in body:
        body["StackTrace"] = "<stack>"
    ours, theirs = (comparable(one if ordered else unordered(one)) for one in (body, recorded))
    if ours == theirs:
        return None
    lines = difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "recorded", "here", lineterm="", n=2)
    return told + "\n" + "\n".join(lines)


def unordered(body: Any) -> Any:
    """History without the order in which things that ran side by side ended."""
    if isinstance(body, dict) and "historyEvents" in body:
        return {**body, "historyEvents": sorted(body["historyEvents"], key=comparable)}
    return body


async def send(host: Host, exchange: dict[str, Any]) -> Answer:
    path = re.sub(r"^BASE/?", "", exchange["url"])
    body = exchange["body"]
    plain = exchange["status"] == 400 or exchange["headers"].get("content-type", "").startswith("text/")
    raw = body.encode() if isinstance(body, str) and plain else b"" if body is None else json.dumps(body).encode()
    return await host.call(exchange["method"], path, headers=exchange["headers"], raw=raw)
