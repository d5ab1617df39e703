"""The description itself: every route, what it takes and all its answers."""

from __future__ import annotations

from http_api.openapi.alert_operations import ALERT_SCHEMAS, ALERTS
from http_api.openapi.batch_operations import BATCHES
from http_api.openapi.dead_letter_operations import DEAD_LETTER_SCHEMAS, DEAD_LETTERS
from http_api.openapi.drone_operations import DRONES, TELEMETRY
from http_api.openapi.flight_operations import FLIGHT_SCHEMAS, FLIGHTS
from http_api.openapi.instance_operations import INSTANCE_SCHEMAS, INSTANCES
from http_api.openapi.parts import Json, ref
from http_api.openapi.reference_operations import REFERENCE, REFERENCE_SCHEMAS
from http_api.openapi.schemas import SCHEMAS
from http_api.openapi.service_operations import OPERATION

_DESCRIPTION = """\
Latest state and history of a fleet of drones, and the pipeline that keeps them.

Times are RFC 3339 UTC with `Z`. Errors are `application/problem+json` (RFC 9457). Lists answer `items` and
`continuation`. A query parameter that is unknown or not allowed gives 400 and is named; `code` and `clientId` belong
to the platform. Roles count with `AUTH_MODE=app-service`. The Durable status API is the extension's own and not
described here.
"""


def _problem(description: str, *, retry_after: bool = False) -> Json:
    response: Json = {
        "description": description,
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }
    if retry_after:
        response["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."},
        }
    return response


DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Drone telemetry", "version": "1.0.0", "description": _DESCRIPTION},
    "servers": [{"url": "/"}],
    "tags": [
        {"name": "drones"},
        {"name": "flights"},
        {"name": "alerts"},
        {"name": "reference"},
        {"name": "telemetry"},
        {"name": "batches"},
        {"name": "dead letters"},
        {"name": "orchestrations"},
        {"name": "operation"},
        {"name": "page"},
    ],
    "paths": {
        **DRONES,
        **FLIGHTS,
        **ALERTS,
        **REFERENCE,
        **TELEMETRY,
        **BATCHES,
        **DEAD_LETTERS,
        **INSTANCES,
        **OPERATION,
    },
    "components": {
        "schemas": {
            **SCHEMAS,
            **DEAD_LETTER_SCHEMAS,
            **FLIGHT_SCHEMAS,
            **ALERT_SCHEMAS,
            **REFERENCE_SCHEMAS,
            **INSTANCE_SCHEMAS,
        },
        "responses": {
            "BadRequest": _problem("Something in the request is not allowed; it is named."),
            "Unauthenticated": _problem("Nobody is signed in, or who it is cannot be read."),
            "Forbidden": _problem("The caller does not have the role."),
            "NotFound": _problem("There is no such thing."),
            "Conflict": _problem("Its state does not allow that."),
            "PreconditionFailed": _problem("It has been changed since it was read."),
            "PreconditionRequired": _problem("The state that was read must be named (If-Match)."),
            "RangeNotSatisfiable": _problem("The file has no such bytes."),
            "TooLarge": _problem("The body is too large."),
            "UnsupportedMediaType": _problem("The body's media type or encoding is not one of those allowed."),
            "Unavailable": _problem("A part that is needed cannot be reached; try again.", retry_after=True),
        },
        "securitySchemes": {
            "appService": {
                "type": "http",
                "scheme": "bearer",
                "description": "App Service authentication signs the caller in; the app role that an operation needs "
                "stands beside it and in `x-role`.",
            }
        },
    },
}
