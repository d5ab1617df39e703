"""Telemetry over HTTP: checked as the pipeline will check it, then handed to Event Hubs like any device's."""

from __future__ import annotations

import azure.functions as func
import orjson

from event_hub.sending import EventTooLarge, HubUnavailable, OutgoingEvent, get_hub
from http_api.authorization import Role
from http_api.body import limited_body, required_media_type
from http_api.endpoint import Api, Call
from http_api.problem import Problem, unavailable
from http_api.responses import json_response
from pipeline.clock import now
from settings import get_settings
from telemetry.encodings import ENCODINGS, is_known
from telemetry.validation import check_event

api = Api()
JSON = "application/json"
PROTOBUF = "application/x-protobuf"
MAX_ERRORS = 100
"""Listed in one answer; the detail says how many more there are."""


@api.route("POST", "/api/telemetry", role=Role.SEND_TELEMETRY)
async def post_telemetry(call: Call) -> func.HttpResponse:
    request = call.request
    body = limited_body(request)
    content_type = required_media_type(request, JSON, PROTOBUF)
    if content_type not in (JSON, PROTOBUF):
        raise Problem("unsupported-media-type", f"the content type is {content_type!r}; allowed: {JSON}, {PROTOBUF}")
    encoding = request.headers.get("content-encoding")
    if encoding is not None and not is_known(encoding):
        allowed = ", ".join(sorted(ENCODINGS))
        raise Problem(
            "unsupported-media-type", f"the content encoding is {encoding[:64]!r}; allowed: {allowed}, or none"
        )
    events = check(body, content_type, encoding)
    try:
        await get_hub().send(events)
    except EventTooLarge as error:
        raise Problem("too-large", str(error)) from error
    except HubUnavailable as error:
        raise unavailable("the event hub cannot be reached at the moment; some of it may have been sent") from error
    return json_response({"accepted": len(events)}, status=202)


def check(body: bytes, content_type: str, content_encoding: str | None) -> list[OutgoingEvent]:
    """One event a message. Raises the 400 ``Problem`` with every broken rule of every message when there is any."""
    accepted, rejected = check_event(body, content_type, content_encoding, get_settings().rules, now())
    if rejected:
        errors = [{"index": one.index, "errors": one.errors} for one in rejected[:MAX_ERRORS]]
        many = f"{len(rejected)} messages break the rules" if len(rejected) > 1 else "a message breaks the rules"
        if len(rejected) > len(errors):
            many += f", of which the first {len(errors)} are listed and {len(rejected) - len(errors)} more are not"
        raise Problem("invalid-telemetry", f"{many}; nothing was sent", errors=errors)
    if content_type == PROTOBUF:
        # The frame goes on as it came (gzip shows by its magic): a decoder that learns more fields finds them there.
        return [OutgoingEvent(message["deviceId"], body, PROTOBUF) for _, message in accepted]
    return [OutgoingEvent(message["deviceId"], orjson.dumps(element), JSON) for element, message in accepted]
