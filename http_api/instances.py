"""The orchestrations behind it all: what runs and what failed, each one's history, and steering one by hand.

In Azure the Durable HTTP API asks for the task hub's key, which opens everything and which no page may hold. These
routes go through the function's own durable client, for whoever has the role, and reach orchestrations only: never a
drone's entity.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any

import azure.functions as func

from durable_sdk import instance_reader
from durable_sdk.instances import (
    InstanceDetail,
    InstanceMissing,
    InstanceQuery,
    InstanceReader,
    InstanceRefuses,
    InstanceRow,
    is_orchestration,
)
from http_api.authorization import Role, caller_name
from http_api.batches import status_links
from http_api.body import read_json_object
from http_api.endpoint import Api, Call
from http_api.identifiers import document_id
from http_api.instance_search import InstanceSearch, search
from http_api.parameters import Parameter, choices, continuation, instant, invalid, limit, text, whole_number
from http_api.problem import Problem, not_found
from http_api.responses import json_response
from observability import log
from pipeline.alerts.instances import DELIVERY, EPISODE, MONITOR
from pipeline.attempts import OF_BATCHES
from pipeline.durable import InstanceStatus
from settings import get_settings
from storage.factory import get_store
from telemetry.identity import instance_id
from telemetry.times import from_datetime, to_datetime

api = Api()
STATUSES = tuple(status.value for status in InstanceStatus)
REASON = text(longest=500)
# Of these the id says what it is about: the alerts' keeper starts again what has to run.
_ONE_OF_ITS_ID = frozenset({MONITOR, EPISODE, DELIVERY})
_NO_REASON = "no reason given"


def _attempt() -> Parameter:
    return Parameter(lambda text: whole_number(text, 1, 10**9), "the number of an attempt, from 1", None, int)


def _prefix() -> Parameter:
    def parse(value: str) -> str:
        if not is_orchestration(value):
            raise ValueError(value)
        return value

    return Parameter(parse, "the beginning of an instance id: 1 to 256 characters, none of / \\ # ?, no leading @")


@api.route(
    "GET",
    "/api/instances",
    role=Role.OPERATE,
    query={
        "status": choices(STATUSES),
        "name": text(),
        "idPrefix": _prefix(),
        "from": instant(),
        "to": instant(),
        "limit": limit(),
        "continuation": continuation(),
    },
    durable=True,
)
async def list_instances(call: Call) -> func.HttpResponse:
    asked = call.query
    if asked["from"] and asked["to"] and asked["from"] >= asked["to"]:
        raise invalid({"parameter": "to", "value": asked["to"], "detail": "allowed: a time after 'from'"})
    where = InstanceQuery(
        created_from=_moment(asked["from"]),
        created_to=_moment(asked["to"]),
        statuses=frozenset(InstanceStatus(status) for status in asked["status"]),
        prefix=asked["idPrefix"],
    )
    rows, token = await search(
        instance_reader(call.client),
        InstanceSearch(where, asked["name"]),
        asked["limit"],
        asked["continuation"],
        datetime.now(timezone.utc),
    )
    return json_response({"items": [_body(row) for row in rows], "continuation": token})


@api.route("GET", "/api/instances/{id}", role=Role.OPERATE, durable=True)
async def get_instance(call: Call) -> func.HttpResponse:
    wanted = call.path["id"]
    found = await instance_reader(call.client).one(wanted)
    if found is None:
        raise not_found("orchestration", wanted)
    return json_response(_detail(found, call))


@api.route("GET", "/api/batches/{id}/instance", role=Role.OPERATE, query={"attempt": _attempt()}, durable=True)
async def get_batch_instance(call: Call) -> func.HttpResponse:
    """The orchestration of one attempt at a batch, null where the engine has it no more, or not yet."""
    batch_id = document_id(call, "batch")
    store = await get_store()
    batch = await store.ledger.get(batch_id)
    if batch is None:
        raise not_found("batch", batch_id)
    attempt = call.query["attempt"] or batch.attempts
    if attempt > batch.attempts:
        detail = f"allowed: 1 to {batch.attempts}, the attempts that were made"
        raise invalid({"parameter": "attempt", "value": attempt, "detail": detail})
    wanted = batch.instance_id if attempt == batch.attempts else instance_id(batch_id, attempt)
    found = await instance_reader(call.client).one(wanted)
    return json_response(
        {"attempt": attempt, "instanceId": wanted, "instance": None if found is None else _detail(found, call)}
    )


@api.route("POST", "/api/instances/{id}/suspend", role=Role.OPERATE, durable=True)
async def suspend_instance(call: Call) -> func.HttpResponse:
    return await _with_reason(call, "suspended", lambda reader, one, reason: reader.suspend(one, reason))


@api.route("POST", "/api/instances/{id}/resume", role=Role.OPERATE, durable=True)
async def resume_instance(call: Call) -> func.HttpResponse:
    return await _with_reason(call, "resumed", lambda reader, one, reason: reader.resume(one, reason))


@api.route("POST", "/api/instances/{id}/terminate", role=Role.OPERATE, durable=True)
async def terminate_instance(call: Call) -> func.HttpResponse:
    return await _with_reason(call, "terminated", lambda reader, one, reason: reader.terminate(one, reason))


@api.route("POST", "/api/instances/{id}/restart", role=Role.OPERATE, durable=True)
async def restart_instance(call: Call) -> func.HttpResponse:
    read_json_object(call.request, {})
    found = await instance_reader(call.client).one(call.path["id"])
    if found is not None and found.row.name.lower() in _ONE_OF_ITS_ID:
        name, instance = found.row.name, found.row.id
        raise Problem(
            "conflict", f"{name} {instance} is known by its id: a copy under another one would be a second one"
        )
    new_id = await _steered(call, "restarted", None, lambda reader, one: reader.restart(one))
    return json_response({"id": new_id}, status=202)


@api.route("DELETE", "/api/instances/{id}", role=Role.OPERATE, durable=True)
async def purge_instance(call: Call) -> func.HttpResponse:
    read_json_object(call.request, {})
    await _steered(call, "purged", None, lambda reader, one: reader.purge(one))
    return func.HttpResponse(status_code=204)


async def _with_reason(
    call: Call, done: str, steer: Callable[[InstanceReader, str, str], Awaitable[None]]
) -> func.HttpResponse:
    reason = read_json_object(call.request, {"reason": REASON})["reason"] or _NO_REASON
    by = caller_name(get_settings(), call.request.headers)
    told = reason if by is None else f"{reason} ({by})"
    await _steered(call, done, told, lambda reader, one: steer(reader, one, told))
    return json_response({"id": call.path["id"]}, status=202)


async def _steered(
    call: Call, done: str, reason: str | None, steer: Callable[[InstanceReader, str], Awaitable[Any]]
) -> Any:
    wanted = call.path["id"]
    try:
        result = await steer(instance_reader(call.client), wanted)
    except InstanceMissing:
        raise not_found("orchestration", wanted) from None
    except InstanceRefuses as refused:
        raise Problem("conflict", str(refused)) from refused
    by = caller_name(get_settings(), call.request.headers)
    log(logging.WARNING, f"orchestration {done} by hand", instanceId=wanted, reason=reason, by=by)
    return result


def _moment(canonical: str | None) -> datetime | None:
    return None if canonical is None else to_datetime(canonical)


def _body(row: InstanceRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "status": row.status.value,
        "createdAt": from_datetime(row.created),
        "updatedAt": from_datetime(row.updated),
        "customStatus": row.custom_status,
        "error": row.error,
        "batchId": row.id.rpartition("~")[0] if row.name.lower() in OF_BATCHES and "~" in row.id else None,
    }


def _detail(found: InstanceDetail, call: Call) -> dict[str, Any]:
    return {
        **_body(found.row),
        "input": found.input,
        "output": found.output,
        "history": found.history,
        "historyLeftOut": found.left_out,
        "statusQueryGetUri": status_links(call, found.row.id)["statusQueryGetUri"],
    }
