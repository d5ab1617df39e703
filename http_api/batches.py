"""Batches of the ledger, and running them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import azure.functions as func

from durable_sdk import durable_client
from durable_sdk.links import without_code
from http_api.authorization import Role
from http_api.body import read_json_object
from http_api.endpoint import Api, Call
from http_api.identifiers import document_id
from http_api.parameters import Parameter, choices, continuation, instant, limit, text
from http_api.problem import Problem, not_found
from http_api.responses import json_response
from pipeline.attempts import replay_batch, replay_batches
from pipeline.ports import BatchFilter, Conflict
from pipeline.records import Batch, BatchStatus
from storage.factory import get_store

api = Api()
STATUSES = tuple(status.value for status in BatchStatus)
_ANY_ID = "any-instance-id"

FILTER = {"status": choices(STATUSES), "partition": text(), "from": instant(), "to": instant()}
REPLAY_FIELDS: dict[str, Parameter] = {**FILTER, "status": choices(STATUSES), "limit": limit()}


@api.route(
    "GET",
    "/api/batches",
    role=Role.OPERATE,
    query={**FILTER, "limit": limit(), "continuation": continuation()},
    durable=True,
)
async def list_batches(call: Call) -> func.HttpResponse:
    store = await get_store()
    page = await store.ledger.list(_filter(call.query), call.query["limit"], call.query["continuation"])
    status_of = status_link(call)
    return json_response(
        {"items": [batch_body(batch, status_of) for batch in page.items], "continuation": page.continuation}
    )


@api.route("GET", "/api/batches/{id}", role=Role.OPERATE, durable=True)
async def get_batch(call: Call) -> func.HttpResponse:
    batch_id = document_id(call, "batch")
    store = await get_store()
    batch = await store.ledger.get(batch_id)
    if batch is None:
        raise not_found("batch", batch_id)
    return json_response(batch_body(batch, status_link(call)))


@api.route("POST", "/api/batches/{id}/replay", role=Role.OPERATE, durable=True)
async def replay_one_batch(call: Call) -> func.HttpResponse:
    batch_id = document_id(call, "batch")
    read_json_object(call.request, {})
    store = await get_store()
    try:
        batch = await replay_batch(store, durable_client(call.client), batch_id)
    except KeyError:
        raise not_found("batch", batch_id) from None
    except Conflict as conflict:
        raise Problem("conflict", str(conflict)) from conflict
    links = status_links(call, batch.instance_id)
    return json_response(links, status=202, headers={"Location": links["statusQueryGetUri"], "Retry-After": "10"})


@api.route("POST", "/api/batches/replay", role=Role.OPERATE, durable=True)
async def replay_many_batches(call: Call) -> func.HttpResponse:
    fields = read_json_object(call.request, REPLAY_FIELDS)
    if not fields["status"]:
        # Completed batches are not run again by the hundred because somebody forgot a word.
        fields["status"] = frozenset({BatchStatus.FAILED.value})
    store = await get_store()
    result = await replay_batches(store, durable_client(call.client), _filter(fields), fields["limit"])
    return json_response({"replayed": result.replayed, "skipped": result.skipped}, status=202)


def _filter(values: Any) -> BatchFilter:
    return BatchFilter(
        statuses=frozenset(BatchStatus(status) for status in values["status"]),
        partition=values["partition"],
        received_from=values["from"],
        received_to=values["to"],
    )


def batch_body(batch: Batch, status_of: Callable[[str], str]) -> dict[str, Any]:
    counts = batch.counts
    return {
        "id": batch.id,
        "hub": batch.hub,
        "partition": batch.partition,
        "firstSequenceNumber": batch.first_sequence_number,
        "lastSequenceNumber": batch.last_sequence_number,
        "events": batch.events,
        "messages": None if counts is None else counts.messages,
        "stored": None if counts is None else counts.stored,
        "duplicates": None if counts is None else counts.duplicates,
        "rejected": None if counts is None else counts.rejected,
        "status": batch.status.value,
        "stage": batch.stage,
        "attempts": batch.attempts,
        "error": batch.error,
        "receivedAt": batch.received_at,
        "completedAt": batch.completed_at,
        "instanceId": batch.instance_id,
        "statusQueryGetUri": status_of(batch.instance_id),
    }


def status_link(call: Call) -> Callable[[str], str]:
    """What makes the address of an instance's status of its id. The SDK takes ten addresses apart for each instance:
    half a millisecond, which a list of a hundred cannot afford."""
    address = status_links(call, _ANY_ID)["statusQueryGetUri"]
    return lambda instance_id: address.replace(_ANY_ID, instance_id)


def status_links(call: Call, instance_id: str) -> dict[str, str]:
    """The Durable check-status body, without the task hub's key: whoever holds that may do anything to every instance,
    which no role of ours grants. Callers who have the key add ``code`` themselves."""
    links: dict[str, str] = call.client.get_client_response_links(call.request, instance_id)
    return {name: without_code(link) if link.startswith("http") else link for name, link in links.items()}
