"""Batches and dead letters."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    FROM,
    LIMIT,
    STRING,
    TO,
    Json,
    answer,
    content,
    nullable,
    operation,
    path,
    problem,
    query,
    record,
    ref,
)
from http_api.openapi.schemas import (
    BATCH_STATUS,
    DEAD_LETTER_STATUS,
    ERROR_CODE,
)
from http_api.openapi.values import ANY_TEXT, LINES, TIME_VALUE

_BATCH_ID = path("id", "Batch id.")
_LETTER_ID = path("id", "Dead letter id.")
_STATUSES = "|".join(BATCH_STATUS["enum"])
_SEVERAL_STATUSES: Json = {"type": "string", "pattern": f"^({_STATUSES})(,({_STATUSES}))*$"}

_BATCH_FILTER: Json = {
    "status": nullable(_SEVERAL_STATUSES),
    "partition": nullable(ANY_TEXT),
    "from": nullable(TIME_VALUE),
    "to": nullable(TIME_VALUE),
    "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000, "default": 100},
}
_NOTHING = content(record({}, description="Nothing needs to be said."))

BATCHES: Json = {
    "/api/batches": {
        "get": operation(
            "list_batches",
            "Batches, newest first",
            {"200": answer("Batches.", ref("BatchList"))},
            tag="batches",
            role="Operate",
            parameters=(
                query("status", _SEVERAL_STATUSES, "One or more, separated by commas."),
                query("partition", ANY_TEXT, "Of this partition."),
                {**FROM, "description": "Received at or after."},
                {**TO, "description": "Received before."},
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/batches/{id}": {
        "get": operation(
            "get_batch",
            "One batch",
            {"200": answer("The batch.", ref("Batch"))},
            tag="batches",
            role="Operate",
            problems=("404",),
            parameters=(_BATCH_ID,),
        )
    },
    "/api/batches/{id}/replay": {
        "post": operation(
            "replay_one_batch",
            "Run a batch again under today's rules",
            {
                "202": answer(
                    "A new instance runs it.",
                    ref("CheckStatus"),
                    headers={"Location": {"schema": STRING}, "Retry-After": {"schema": {"type": "integer"}}},
                )
            },
            tag="batches",
            role="Operate",
            problems=("404", "409"),
            parameters=(_BATCH_ID,),
            body=_NOTHING,
        )
    },
    "/api/batches/replay": {
        "post": operation(
            "replay_many_batches",
            "Run the batches again that match; failed ones unless `status` says otherwise",
            {"202": answer("Their ids; those that run are skipped.", ref("ReplayedBatches"))},
            tag="batches",
            role="Operate",
            body=content(record(_BATCH_FILTER, optional=tuple(_BATCH_FILTER))),
        )
    },
}

_LETTER_FILTER: Json = {
    "errorCode": nullable(ERROR_CODE),
    "deviceId": nullable(ANY_TEXT),
    "batchId": nullable(ANY_TEXT),
    "status": nullable(DEAD_LETTER_STATUS),
    "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000, "default": 10_000},
}

DEAD_LETTERS: Json = {
    "/api/deadletters": {
        "get": operation(
            "list_dead_letters",
            "Rejected messages, newest first",
            {"200": answer("Dead letters.", ref("DeadLetterList"))},
            tag="dead letters",
            role="Operate",
            parameters=(
                query("errorCode", ERROR_CODE, "Those that break this rule."),
                query("deviceId", ANY_TEXT, "Of this device."),
                query("batchId", ANY_TEXT, "Of this batch."),
                query("status", DEAD_LETTER_STATUS, "In this state."),
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
            body=_NOTHING,
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
            body=content(record(_LETTER_FILTER, optional=tuple(_LETTER_FILTER))),
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
