"""A drone's stored messages: as a list, or as one file."""

from __future__ import annotations

import azure.functions as func

from durable_sdk import entity_reader
from http_api.authorization import Role
from http_api.endpoint import Api, Call
from http_api.exporting import Range, export
from http_api.identifiers import device_id
from http_api.parameters import choice, continuation, instant, limit, seconds
from http_api.problem import not_found
from http_api.responses import json_response
from pipeline.ports import Page, Store
from pipeline.signals import DRONE
from storage.continuation import decode, encode, query_digest
from storage.factory import get_store
from telemetry.export import FORMATS, Thinning
from telemetry.model import Message
from telemetry.times import add_seconds
from telemetry.view import history_item

api = Api()
JSON = "json"
CHUNK, CHUNKS = 500, 40
"""How many messages a thinned list reads at once, and how often in one request; its page may then be short."""


@api.route(
    "GET",
    "/api/drones/{id}/history",
    role=Role.GET_STATUS,
    query={
        "from": instant(),
        "to": instant(),
        "order": choice(("asc", "desc"), "desc"),
        "every": seconds(),
        "limit": limit(),
        "continuation": continuation(),
        "format": choice((JSON, *FORMATS), JSON),
    },
    durable=True,
)
async def get_drone_history(call: Call) -> func.HttpResponse:
    drone = device_id(call.path["id"])
    query = call.query
    wanted = Range(query["from"], query["to"])
    store = await get_store()
    if query["format"] != JSON:
        if not await _has_messages(store, drone, wanted) and not await _was_seen(store, call, drone):
            raise not_found("drone", drone)
        return await export(store, drone, wanted, query["format"], every=query["every"])
    ascending = query["order"] == "asc"
    if query["every"] is None:
        page = await _page(store, drone, wanted, ascending, query["limit"], query["continuation"])
    else:
        page = await _thinned(store, drone, wanted, ascending, query["limit"], query["continuation"], query["every"])
    if not page.items and not await _was_seen(store, call, drone):
        raise not_found("drone", drone)
    return json_response(
        {"items": [history_item(message) for message in page.items], "continuation": page.continuation}
    )


async def _page(
    store: Store, drone: str, wanted: Range, ascending: bool, number: int, token: str | None
) -> Page[Message]:
    return await store.messages.history(
        drone, wanted.since, wanted.until, ascending=ascending, limit=number, continuation=token
    )


async def _thinned(
    store: Store, drone: str, wanted: Range, ascending: bool, number: int, token: str | None, every: float
) -> Page[Message]:
    """At most one message in ``every`` seconds, pages included: the token is the time of the last one."""
    query = query_digest("thinned", drone, *wanted, ascending, every)
    (last,) = decode(query, token, 1) or ("",)
    thinning = Thinning(every, last or None)
    found: list[Message] = []
    for _ in range(CHUNKS):
        page = await _page(store, drone, _after(wanted, thinning, ascending, every), ascending, CHUNK, None)
        for message in page.items:
            if thinning.keeps(message["time"]):
                found.append(message)
                if len(found) == number:
                    return Page(found, encode(query, message["time"]))
        if page.continuation is None:
            return Page(found, None)
    return Page(found, encode(query, thinning.last or ""))


def _after(wanted: Range, thinning: Thinning, ascending: bool, every: float) -> Range:
    """The rest of the range: what is too near to the last message that was kept is not even read."""
    if thinning.last is None:
        return wanted
    if ascending:
        return wanted._replace(since=max(wanted.since or "", add_seconds(thinning.last, every)))
    until = add_seconds(thinning.last, 0.000001 - every)  # exclusive
    return wanted._replace(until=until if wanted.until is None else min(wanted.until, until))


async def _has_messages(store: Store, drone: str, wanted: Range) -> bool:
    return bool((await _page(store, drone, wanted, True, 1, None)).items)


async def _was_seen(store: Store, call: Call, drone: str) -> bool:
    """Its entity outlives its messages, and its messages are there a moment before its entity."""
    if await entity_reader(call.client, DRONE).state(drone) is not None:
        return True
    return await _has_messages(store, drone, Range(None, None))
