"""Batches."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    FROM,
    LIMIT,
    NOTHING,
    STRING,
    TO,
    Json,
    answer,
    content,
    nullable,
    operation,
    path,
    query,
    record,
    ref,
)
from http_api.openapi.schemas import (
    BATCH_STATUS,
)
from http_api.openapi.values import ANY_TEXT, TIME_VALUE

_BATCH_ID = path("id", "Batch id.")
_STATUSES = "|".join(BATCH_STATUS["enum"])
_SEVERAL_STATUSES: Json = {"type": "string", "pattern": f"^({_STATUSES})(,({_STATUSES}))*$"}

_BATCH_FILTER: Json = {
    "status": nullable(_SEVERAL_STATUSES),
    "partition": nullable(ANY_TEXT),
    "from": nullable(TIME_VALUE),
    "to": nullable(TIME_VALUE),
    "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000, "default": 100},
}

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
            body=NOTHING,
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
