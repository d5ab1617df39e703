"""From an event's bytes to values: unpack, tell JSON from the reference's frame, parse strictly.

What a value means, and whose format it is, is ``telemetry.formats``' to say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from telemetry.encodings import unpack
from telemetry.json_text import BOM, MAX_DEPTH, NotJson, parse_json
from telemetry.protobuf import decode_frame
from telemetry.rejection import EventRejected
from telemetry.vocabulary import Format

MAX_MESSAGES = 10_000
PROTOBUF = "application/x-protobuf"

_WHITE_SPACE = b" \t\r\n"


Decoded = tuple[Any, Format]
"""The value, and what it was decoded from: an object, an array's list, or a scalar (never a scalar from a frame, of
which it is the object that the same message would be in JSON)."""


def decode_event(body: bytes, content_type: str | None, content_encoding: str | None) -> Decoded:
    """What the body says. A scalar comes as an object would: its message is then found not to be one.

    Raises EventRejected.
    """
    if body[:1] == b"{" and content_encoding is None and content_type in (None, "application/json"):
        # Nearly every event is this. Whatever is wrong with it is found out below.
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
        else:
            if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
                return parsed, "json"
    body = unpack(body, content_encoding)
    if not body:
        raise EventRejected("empty_body", "the event has no body")
    media_type = media_type_of(content_type)
    if media_type == PROTOBUF:
        return decode_frame(body), "protobuf"
    text = body[3:] if body[:3] == BOM else body
    is_json = media_type is not None and (media_type == "application/json" or media_type.endswith("+json"))
    try:
        parsed = parse_json(text)
        if not is_json and not isinstance(parsed, (dict, list)):
            raise NotJson("JSON, but neither object nor array")
    except NotJson as not_json:
        if is_json:
            raise EventRejected("malformed_json", str(not_json)) from None
        try:
            return decode_frame(body), "protobuf"
        except EventRejected as no_frame:
            if text.lstrip(_WHITE_SPACE)[:1] in (b"{", b"["):
                raise EventRejected("malformed_json", str(not_json)) from None
            detail = f"no JSON object or array ({not_json}), and no protobuf frame ({no_frame})"
            raise EventRejected("malformed_protobuf", detail) from None
    if isinstance(parsed, list) and len(parsed) > MAX_MESSAGES:
        raise EventRejected("too_many_messages", f"{len(parsed)} messages; at most {MAX_MESSAGES} in one event")
    return parsed, "json"


def media_type_of(content_type: str | None) -> str | None:
    """Without parameters, in lower case."""
    return None if content_type is None else _media_type(content_type)


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
