"""Dead letters: what was rejected, and what became of it."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from durable_sdk import durable_client
from http_api.authorization import Role, caller_name
from http_api.body import read_json_object
from http_api.endpoint import Api, Call
from http_api.identifiers import document_id
from http_api.parameters import Parameter, choice, continuation, ids, limit, text
from http_api.problem import Problem, not_found
from http_api.responses import json_response
from pipeline.correcting import NAMED, NothingIn, check_correction, correct_dead_letter
from pipeline.dead_letters import StillRejected, replay_dead_letter, replay_dead_letters, replay_these
from pipeline.dead_letters import discard_dead_letter as discard
from pipeline.ports import Conflict, DeadLetterFilter
from settings import get_settings
from storage.factory import get_store
from telemetry.model import DeadLetter
from telemetry.vocabulary import ERROR_CODES, LETTER_STATUSES

api = Api()

FILTER: dict[str, Parameter] = {
    "errorCode": choice(ERROR_CODES),
    "deviceId": text(),
    "batchId": text(),
    "status": choice(LETTER_STATUSES),
}
REPLAY_FIELDS: dict[str, Parameter] = {
    **FILTER,
    "status": choice(LETTER_STATUSES, "open"),
    "limit": limit(default=10_000, highest=10_000),
    "ids": ids(),
}
MOST_GROUPED = 20_000
"""Letters that are looked at to count groups of them, the newest."""


@api.route(
    "GET",
    "/api/deadletters",
    role=Role.OPERATE,
    query={**FILTER, "limit": limit(), "continuation": continuation()},
)
async def list_dead_letters(call: Call) -> func.HttpResponse:
    store = await get_store()
    page = await store.dead_letters.list(_filter(call.query), call.query["limit"], call.query["continuation"])
    return json_response({"items": [_body(letter) for letter in page.items], "continuation": page.continuation})


@api.route("GET", "/api/deadletters/{id}", role=Role.OPERATE)
async def get_dead_letter(call: Call) -> func.HttpResponse:
    letter_id = document_id(call, "dead letter")
    store = await get_store()
    letter = await store.dead_letters.get(letter_id)
    if letter is None:
        raise not_found("dead letter", letter_id)
    return json_response(_body(letter))


@api.route("POST", "/api/deadletters/{id}/replay", role=Role.OPERATE, durable=True)
async def replay_one_dead_letter(call: Call) -> func.HttpResponse:
    letter_id = document_id(call, "dead letter")
    read_json_object(call.request, {})
    store = await get_store()
    try:
        letter = await replay_dead_letter(store, durable_client(call.client), letter_id)
    except KeyError:
        raise not_found("dead letter", letter_id) from None
    except Conflict as conflict:
        raise Problem("conflict", str(conflict)) from conflict
    except StillRejected as rejected:
        raise Problem("still-rejected", "today's rules reject it too", errors=rejected.errors) from rejected
    return json_response(_body(letter))


@api.route("POST", "/api/deadletters/replay", role=Role.OPERATE, durable=True)
async def replay_many_dead_letters(call: Call) -> func.HttpResponse:
    fields = read_json_object(call.request, REPLAY_FIELDS)
    store = await get_store()
    client = durable_client(call.client)
    if fields["ids"] is not None:
        result = await replay_these(store, client, fields["ids"])
    else:
        result = await replay_dead_letters(store, client, _filter(fields), fields["limit"])
    return json_response(
        {"replayed": result.replayed, "stillRejected": result.still_rejected, "skipped": result.skipped}
    )


TEXT = Parameter(lambda value: value, "the message as JSON text", None, str)


@api.route("POST", "/api/deadletters/{id}/check", role=Role.OPERATE)
async def check_dead_letter(call: Call) -> func.HttpResponse:
    """What a corrected copy would become: an answer also when that is nothing, since it is asked while one types."""
    letter_id = document_id(call, "dead letter")
    copy = _copy(call)
    store = await get_store()
    try:
        messages, errors = await check_correction(store, letter_id, copy)
    except KeyError:
        raise not_found("dead letter", letter_id) from None
    shown = [{"id": one["id"], "deviceId": one["deviceId"], "time": one["time"]} for one in messages[:NAMED]]
    return json_response({"accepted": len(messages), "messages": shown, "errors": errors})


@api.route("POST", "/api/deadletters/{id}/correct", role=Role.OPERATE, durable=True)
async def correct_one_dead_letter(call: Call) -> func.HttpResponse:
    letter_id = document_id(call, "dead letter")
    copy = _copy(call)
    by = caller_name(get_settings(), call.request.headers)
    store = await get_store()
    try:
        letter = await correct_dead_letter(store, durable_client(call.client), letter_id, copy, by)
    except KeyError:
        raise not_found("dead letter", letter_id) from None
    except NothingIn:
        raise _wrong_copy("allowed: JSON text that holds at least one message") from None
    except Conflict as conflict:
        raise Problem("conflict", str(conflict)) from conflict
    except StillRejected as rejected:
        raise Problem("still-rejected", "the rules reject the copy too", errors=rejected.errors) from rejected
    return json_response(_body(letter))


def _copy(call: Call) -> str:
    copy: str | None = read_json_object(call.request, {"text": TEXT})["text"]
    if copy is None:
        raise _wrong_copy(f"is missing; allowed: {TEXT.allowed}")
    return copy


def _wrong_copy(detail: str) -> Problem:
    return Problem("invalid-body", f"'text': {detail}", errors=[{"field": "text", "value": "", "detail": detail}])


@api.route("GET", "/api/deadletter-groups", role=Role.OPERATE, query={**FILTER, "limit": limit()})
async def list_dead_letter_groups(call: Call) -> func.HttpResponse:
    """Not below ``/api/deadletters/``, where a host may take it for an id."""
    store = await get_store()
    found = await store.dead_letters.groups(_filter(call.query), MOST_GROUPED, call.query["limit"])
    items = [
        {
            "errorCode": group.error_code,
            "deviceId": group.device_id,
            "letters": group.letters,
            "newestAt": group.newest,
            "oldestAt": group.oldest,
        }
        for group in found.groups
    ]
    return json_response({"items": items, "continuation": None, "letters": found.letters, "complete": found.complete})


REASON = text(longest=1000, lines=True)


@api.route("POST", "/api/deadletters/{id}/discard", role=Role.OPERATE, durable=True)
async def discard_dead_letter(call: Call) -> func.HttpResponse:
    letter_id = document_id(call, "dead letter")
    reason = read_json_object(call.request, {"reason": REASON})["reason"]
    if reason is None:
        raise Problem(
            "invalid-body",
            "'reason' is missing: why it is discarded",
            errors=[{"field": "reason", "value": "", "detail": f"allowed: {REASON.allowed}"}],
        )
    store = await get_store()
    try:
        letter = await discard(store, durable_client(call.client), letter_id, reason)
    except KeyError:
        raise not_found("dead letter", letter_id) from None
    except Conflict as conflict:
        raise Problem("conflict", str(conflict)) from conflict
    return json_response(_body(letter))


def _filter(values: Any) -> DeadLetterFilter:
    return DeadLetterFilter(
        error_code=values["errorCode"],
        device_id=values["deviceId"],
        batch_id=values["batchId"],
        status=values["status"],
    )


def _body(letter: DeadLetter) -> dict[str, Any]:
    return {**letter}
