"""Orchestrations."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    COUNT,
    FROM,
    LIMIT,
    NOTHING,
    STRING,
    TIME,
    TO,
    Json,
    answer,
    array,
    content,
    listing,
    nullable,
    operation,
    path,
    query,
    record,
    ref,
)
from http_api.openapi.values import ANY_TEXT
from pipeline.durable import InstanceStatus

_STATUS: Json = {"type": "string", "enum": [status.value for status in InstanceStatus]}
_STATUSES = "|".join(_STATUS["enum"])
_SEVERAL_STATUSES: Json = {"type": "string", "pattern": f"^({_STATUSES})(,({_STATUSES}))*$"}
_PREFIX: Json = {
    "type": "string",
    "pattern": r"^[^@/\\#?\x00-\x1f\x7f-\x9f][^/\\#?\x00-\x1f\x7f-\x9f]{0,255}$",
}
_ID = path("id", "Instance id.")
_REASON = content(
    record(
        {"reason": nullable({"type": "string", "pattern": r"^[^\x00-\x1f\x7f-\x9f]{1,500}$"})},
        optional=("reason",),
        description="Why; it stands in the history, with who it was.",
    )
)
_DONE = answer("It will be so as soon as the engine comes to it.", ref("InstanceReference"))

_INSTANCE: Json = {
    "id": STRING,
    "name": {**STRING, "description": "The orchestrator."},
    "status": _STATUS,
    "createdAt": TIME,
    "updatedAt": TIME,
    "customStatus": {"description": "What the orchestrator says of itself, any JSON."},
    "error": {**nullable(STRING), "description": "What a failed or terminated one ended with."},
    "batchId": {**nullable(STRING), "description": "The batch that it runs, where it runs one."},
}

INSTANCE_SCHEMAS: Json = {
    "Instance": record(_INSTANCE),
    "InstanceList": listing("Instance"),
    "InstanceDetail": record(
        {
            **_INSTANCE,
            "input": {"description": "Any JSON."},
            "output": {"description": "Any JSON; of a failed one the error's whole text."},
            "history": array(
                {"type": "object", "properties": {"EventType": STRING}, "required": ["EventType"]},
                description="As the Durable status API shows it with showHistory and showHistoryOutput.",
            ),
            "historyLeftOut": {**COUNT, "description": "Older events that are not shown."},
            "statusQueryGetUri": STRING,
        }
    ),
    "BatchInstance": record(
        {
            "attempt": {"type": "integer", "minimum": 1},
            "instanceId": STRING,
            "instance": {
                **nullable(ref("InstanceDetail")),
                "description": "Null: the engine has it no more, or not yet.",
            },
        }
    ),
    "InstanceReference": record({"id": STRING}),
}


def _steer(operation_id: str, summary: str, done: Json, body: Json) -> Json:
    return operation(
        operation_id,
        summary,
        {"202": done},
        tag="orchestrations",
        role="Operate",
        problems=("404", "409"),
        parameters=(_ID,),
        body=body,
    )


INSTANCES: Json = {
    "/api/instances": {
        "get": operation(
            "list_instances",
            "Orchestrations, newest first; no entities",
            {"200": answer("Orchestrations.", ref("InstanceList"))},
            tag="orchestrations",
            role="Operate",
            parameters=(
                query("status", _SEVERAL_STATUSES, "One or more, separated by commas."),
                query("name", ANY_TEXT, "Of this orchestrator, in any case."),
                query("idPrefix", _PREFIX, "Whose id begins so."),
                {**FROM, "description": "Created at or after, by the second."},
                {**TO, "description": "Created before, by the second."},
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/batches/{id}/instance": {
        "get": operation(
            "get_batch_instance",
            "The orchestration that runs, or ran, an attempt at a batch",
            {"200": answer("With its history.", ref("BatchInstance"))},
            tag="batches",
            role="Operate",
            problems=("404",),
            parameters=(
                path("id", "Batch id."),
                query("attempt", {"type": "integer", "minimum": 1, "maximum": 10**9}, "The current one unless given."),
            ),
        )
    },
    "/api/instances/{id}": {
        "get": operation(
            "get_instance",
            "One orchestration with its history",
            {"200": answer("The orchestration.", ref("InstanceDetail"))},
            tag="orchestrations",
            role="Operate",
            problems=("404",),
            parameters=(_ID,),
        ),
        "delete": operation(
            "purge_instance",
            "Delete the history of one that has ended",
            {"204": answer("It is gone.")},
            tag="orchestrations",
            role="Operate",
            problems=("404", "409", "415"),
            parameters=(_ID,),
        ),
    },
    "/api/instances/{id}/suspend": {
        "post": _steer("suspend_instance", "Let it do no further step until it is resumed", _DONE, _REASON)
    },
    "/api/instances/{id}/resume": {"post": _steer("resume_instance", "Let a suspended one go on", _DONE, _REASON)},
    "/api/instances/{id}/terminate": {
        "post": _steer("terminate_instance", "End it where it stands; a step under way runs to its end", _DONE, _REASON)
    },
    "/api/instances/{id}/restart": {
        "post": _steer(
            "restart_instance",
            "Start one that has ended anew, under a new id, with the same input",
            answer("The new one.", ref("InstanceReference")),
            NOTHING,
        )
    },
}
