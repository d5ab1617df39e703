"""Reading the hub again for a store that was lost: what is missing, and one stretch of it at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import azure.functions as func

from durable_sdk import durable_client
from event_hub.deliveries import deliveries_from
from event_hub.reading import read_events
from event_hub.sending import HubUnavailable, get_hub
from http_api.authorization import Role
from http_api.body import read_json_object
from http_api.endpoint import Api, Call
from http_api.parameters import Parameter, text, whole_number
from http_api.problem import Problem, unavailable
from http_api.responses import json_response
from pipeline.coverage import Range, count
from pipeline.intake import parts_of, receive
from settings import get_event_hub, get_settings
from storage.factory import get_store

api = Api()
MOST_EVENTS = 2000
_LARGEST = 10**18 - 1
_NUMBER = Parameter(lambda text: whole_number(text, 0, _LARGEST), "a sequence number", None, int)
FIELDS = {"partition": text(), "first": _NUMBER, "last": _NUMBER}


@api.route("GET", "/api/recovery", role=Role.OPERATE)
async def get_recovery(call: Call) -> func.HttpResponse:
    """What the hub holds, and which of it never came, by partition: what is only on its way counts as missing too."""
    store = await get_store()
    try:
        partitions = await get_hub().partitions()
    except HubUnavailable as error:
        raise unavailable("the event hub cannot be reached at the moment") from error
    coverage = await store.ledger.coverage()
    hub = get_settings().event_hub_name
    items = []
    for one in partitions:
        missing = coverage.missing(hub, one.id, one.oldest, one.newest)
        items.append(
            {
                "partition": one.id,
                "oldest": one.oldest,
                "newest": one.newest,
                "missing": [{"first": first, "last": last} for first, last in missing],
                "events": count(missing),
            }
        )
    return json_response({"partitions": items, "events": sum(item["events"] for item in items)})


@api.route("POST", "/api/recovery", role=Role.OPERATE, durable=True)
async def recover(call: Call) -> func.HttpResponse:
    """Reads up to ``MOST_EVENTS`` events of one partition and takes them in as the trigger does; doing it again, or
    beside the trigger, finds the same messages. ``next`` is where to go on, null when ``last`` was reached."""
    fields = read_json_object(call.request, FIELDS)
    _all_there(fields)
    settings = get_settings()
    group = settings.recovery_consumer_group
    store = await get_store()
    try:
        stretch = await _what_is_there(fields["partition"], fields["first"], fields["last"])
        if stretch is None:
            return json_response({"received": 0, "batches": [], "next": None})
        first, last = stretch
        events, reached = await read_events(get_event_hub(), group, fields["partition"], first, last, MOST_EVENTS)
    except HubUnavailable as error:
        raise unavailable(f"the event hub cannot be read in consumer group {group} at the moment") from error
    batches = []
    if events:
        deliveries = await asyncio.to_thread(deliveries_from, events, settings.event_hub_name, fields["partition"])
        for part in parts_of(deliveries):
            batches.append((await receive(store, durable_client(call.client), part)).id)
    if reached:
        await store.ledger.cover(settings.event_hub_name, fields["partition"], first, last)
    following = None if reached or not events else (events[-1].sequence_number or 0) + 1
    return json_response({"received": len(events), "batches": batches, "next": following})


async def _what_is_there(partition: str, first: int, last: int) -> Range | None:
    """The part of the stretch that the hub holds; None when it holds nothing of it."""
    known = {one.id: one for one in await get_hub().partitions()}
    if partition not in known:
        raise Problem("invalid-body", f"the hub has no partition {partition!r}")
    first, last = max(first, known[partition].oldest), min(last, known[partition].newest)
    return (first, last) if first <= last else None


def _all_there(fields: dict[str, Any]) -> None:
    errors = [
        {"field": name, "value": "", "detail": f"is missing; allowed: {FIELDS[name].allowed}"}
        for name, value in fields.items()
        if value is None
    ]
    if not errors and fields["first"] > fields["last"]:
        errors = [{"field": "last", "value": str(fields["last"]), "detail": "allowed: at least 'first'"}]
    if errors:
        said = "; ".join(f"{error['field']!r}: {error['detail']}" for error in errors)
        raise Problem("invalid-body", said, errors=errors)
