"""Dead letters."""

from __future__ import annotations

from http_api.openapi.parts import (
    BOOLEAN,
    CONTINUATION,
    COUNT,
    LIMIT,
    NOTHING,
    STRING,
    TIME,
    Json,
    answer,
    array,
    content,
    listing,
    nullable,
    operation,
    path,
    problem,
    query,
    record,
    ref,
)
from http_api.openapi.schemas import DEAD_LETTER_STATUS, ERROR_CODE
from http_api.openapi.values import ANY_TEXT, LINES

_LETTER_ID = path("id", "Dead letter id.")
_FILTER_QUERY = (
    query("errorCode", ERROR_CODE, "Those that break this rule."),
    query("deviceId", ANY_TEXT, "Of this device."),
    query("batchId", ANY_TEXT, "Of this batch."),
    query("status", DEAD_LETTER_STATUS, "In this state."),
)

DEAD_LETTER_SCHEMAS: Json = {
    "RuleError": record({"code": STRING, "field": nullable(STRING), "value": {}, "detail": nullable(STRING)}),
    "DeadLetter": record(
        {
            "id": STRING,
            "status": DEAD_LETTER_STATUS,
            "errors": array(ref("RuleError")),
            "body": {"type": "string", "contentEncoding": "base64"},
            "deviceId": nullable(STRING),
            "hub": STRING,
            "partition": STRING,
            "offset": nullable(STRING),
            "sequenceNumber": COUNT,
            "enqueuedAt": TIME,
            "index": nullable(COUNT),
            "batchId": STRING,
            "attempts": COUNT,
            "createdAt": TIME,
            "resolvedAt": nullable(TIME),
            "reason": nullable(STRING),
            "contentType": nullable(STRING),
            "contentEncoding": nullable(STRING),
            "context": {
                "type": ["object", "null"],
                "description": "What came with the event: partitionKey, properties, system, leftOut (no room).",
                "additionalProperties": True,
            },
            "messages": {"type": "integer", "minimum": 1, "description": "How many rejected messages it stands for."},
            "correction": {**ref("Correction"), "description": "The corrected copy that was stored in its place."},
        },
        optional=("contentType", "contentEncoding", "context", "messages", "correction"),
    ),
    "CorrectedMessage": record({"id": STRING, "deviceId": STRING, "time": TIME}),
    "Correction": record(
        {
            "at": TIME,
            "by": nullable(STRING),
            "body": {"type": "string", "contentEncoding": "base64"},
            "contentType": nullable(STRING),
            "contentEncoding": nullable(STRING),
            "count": {**COUNT, "description": "Messages in it."},
            "messages": array(ref("CorrectedMessage"), description="The first 20 of them."),
        }
    ),
    "CheckedCopy": record(
        {
            "accepted": {**COUNT, "description": "Messages; 0 with `errors`."},
            "messages": array(ref("CorrectedMessage"), description="The first 20 of them."),
            "errors": array(ref("RuleError")),
        }
    ),
    "DeadLetterGroup": record(
        {"errorCode": STRING, "deviceId": nullable(STRING), "letters": COUNT, "newestAt": TIME, "oldestAt": TIME},
        description="A letter that breaks several rules is in several groups.",
    ),
    "DeadLetterGroups": record(
        {
            "items": array(ref("DeadLetterGroup")),
            "continuation": {"type": "null"},
            "letters": {**COUNT, "description": "Letters that were looked at, the newest."},
            "complete": {**BOOLEAN, "description": "False: there are more letters, which were not."},
        }
    ),
    "DeadLetterList": listing("DeadLetter"),
    "ReplayedDeadLetters": record({"replayed": COUNT, "stillRejected": COUNT, "skipped": COUNT}),
}

_LETTER_FILTER: Json = {
    "errorCode": nullable(ERROR_CODE),
    "deviceId": nullable(ANY_TEXT),
    "batchId": nullable(ANY_TEXT),
    "status": nullable(DEAD_LETTER_STATUS),
    "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000, "default": 10_000},
}

_IDS: Json = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 256}}
_LETTER_BULK: Json = {
    **_LETTER_FILTER,
    "ids": nullable({**_IDS, "minItems": 1, "maxItems": 100, "description": "These, whatever the rest says."}),
}
_COPY = content(
    record({"text": {"type": "string", "description": "The message as JSON text, as it should have been."}})
)

DEAD_LETTERS: Json = {
    "/api/deadletter-groups": {
        "get": operation(
            "list_dead_letter_groups",
            "How many there are by rule and device, the largest groups first",
            {"200": answer("Of the newest 20,000 that match.", ref("DeadLetterGroups"))},
            tag="dead letters",
            role="Operate",
            parameters=(
                *_FILTER_QUERY,
                LIMIT,
            ),
        )
    },
    "/api/deadletters/{id}/check": {
        "post": operation(
            "check_dead_letter",
            "What a corrected copy would become; nothing is kept",
            {"200": answer("Its messages, or the rules that it breaks.", ref("CheckedCopy"))},
            tag="dead letters",
            role="Operate",
            problems=("404",),
            parameters=(_LETTER_ID,),
            body=_COPY,
            body_required=True,
        )
    },
    "/api/deadletters/{id}/correct": {
        "post": operation(
            "correct_one_dead_letter",
            "Store a corrected copy in its place",
            {
                "200": answer("Stored; the same copy again, the same answer and nothing done.", ref("DeadLetter")),
                "409": {**problem("Conflict")},
            },
            tag="dead letters",
            role="Operate",
            problems=("404", "409"),
            parameters=(_LETTER_ID,),
            body=_COPY,
            body_required=True,
            description="The letter and its bytes stay; it becomes `replayed`, with `correction`. A copy that breaks "
            "the rules too: 409 with `errors`. Discarded, replayed, or corrected otherwise: 409.",
        )
    },
    "/api/deadletters": {
        "get": operation(
            "list_dead_letters",
            "Rejected messages, newest first",
            {"200": answer("Dead letters.", ref("DeadLetterList"))},
            tag="dead letters",
            role="Operate",
            parameters=(
                *_FILTER_QUERY,
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/deadletters/{id}": {
        "get": operation(
            "get_dead_letter",
            "One rejected message with its original bytes",
            {"200": answer("The dead letter.", ref("DeadLetter"))},
            tag="dead letters",
            role="Operate",
            problems=("404",),
            parameters=(_LETTER_ID,),
        )
    },
    "/api/deadletters/{id}/replay": {
        "post": operation(
            "replay_one_dead_letter",
            "Run it through today's rules",
            {
                "200": answer("Stored; asked again, the same answer and nothing done.", ref("DeadLetter")),
                "409": {**problem("Conflict")},
            },
            tag="dead letters",
            role="Operate",
            problems=("404", "409"),
            parameters=(_LETTER_ID,),
            body=NOTHING,
            description="Still rejected: 409 with `errors`, the broken rules. Discarded: 409.",
        )
    },
    "/api/deadletters/replay": {
        "post": operation(
            "replay_many_dead_letters",
            "Run those that match through today's rules; open ones unless `status` says otherwise",
            {"200": answer("How many.", ref("ReplayedDeadLetters"))},
            tag="dead letters",
            role="Operate",
            body=content(record(_LETTER_BULK, optional=tuple(_LETTER_BULK))),
        )
    },
    "/api/deadletters/{id}/discard": {
        "post": operation(
            "discard_dead_letter",
            "Keep the record, and never run it",
            {"200": answer("Discarded; asked again, the record as it is.", ref("DeadLetter"))},
            tag="dead letters",
            role="Operate",
            problems=("404", "409"),
            parameters=(_LETTER_ID,),
            body=content(record({"reason": LINES}, description="Why.")),
            body_required=True,
        )
    },
}
