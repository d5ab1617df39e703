"""From an event's bytes to its messages: unpack, tell the format, parse strictly."""

from __future__ import annotations

import json
import re
import sys
import zlib
from functools import lru_cache
from typing import Any, NoReturn

import orjson

from telemetry.protobuf import decode_frame
from telemetry.rejection import EventRejected

MAX_UNPACKED_BYTES = 16 * 1024 * 1024
MAX_MESSAGES = 10_000
MAX_DEPTH = 64

_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_WHITE_SPACE = b" \t\r\n"
_CHUNK = 64 * 1024
# Only such a text can hold a number beyond a double's range.
_HUGE_NUMBER = re.compile(rb"[0-9]{309}|[eE]\+?0*[1-9][0-9]{2}").search
_LONGEST_INTEGER = 20


class _NotJson(ValueError):
    pass


def decode_event(body: bytes, content_type: str | None, content_encoding: str | None) -> dict[str, Any] | list[Any]:
    """The object of a single message, or the list of an array's elements (of any JSON type).

    A scalar comes as an object would: its message is then found not to be one. Raises EventRejected.
    """
    if body[:1] == b"{" and content_encoding is None and content_type in (None, "application/json"):
        # Nearly every event is this. Whatever is wrong with it is found out below.
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
        else:
            if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
                return parsed  # type: ignore[no-any-return]
    if body and (
        body[:2] == _GZIP_MAGIC or (content_encoding is not None and content_encoding.strip().lower() == "gzip")
    ):
        body = _gunzip(body)
    if not body:
        raise EventRejected("empty_body", "the event has no body")
    media_type = _media_type(content_type) if content_type is not None else None
    if media_type == "application/x-protobuf":
        return decode_frame(body)
    text = body[3:] if body[:3] == _BOM else body
    try:
        parsed = _parse_json(text)
        if media_type != "application/json" and not isinstance(parsed, (dict, list)):
            raise _NotJson("neither object nor array")
    except _NotJson as not_json:
        if media_type == "application/json":
            raise EventRejected("malformed_json", str(not_json)) from None
        try:
            return decode_frame(body)
        except EventRejected:
            if text.lstrip(_WHITE_SPACE)[:1] in (b"{", b"["):
                raise EventRejected("malformed_json", str(not_json)) from None
            raise
    if isinstance(parsed, list) and len(parsed) > MAX_MESSAGES:
        raise EventRejected("too_many_messages", f"{len(parsed)} messages; at most {MAX_MESSAGES} in one event")
    return parsed  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _parse_json(text: bytes) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if _HUGE_NUMBER(text) is None:
            raise _NotJson(str(error)) from None
        value = _parse_with_huge_numbers(text)
    except RecursionError:
        raise _NotJson("nested too deep") from None
    # Fewer brackets than that cannot be nested deeper; most events are one flat object.
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise _NotJson(f"nested deeper than {MAX_DEPTH}")
    return value


def _parse_with_huge_numbers(text: bytes) -> Any:
    """orjson refuses the whole text for one number like 1e400, which is good JSON in a bad message: it must not take an
    array's other messages with it. Such a number becomes the largest there is, which no field allows."""
    try:
        value = json.loads(text.decode(), parse_float=_float, parse_int=_integer, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates have no UTF-8
    except (ValueError, RecursionError) as error:
        raise _NotJson(str(error) or type(error).__name__) from None
    return value


def _float(text: str) -> float:
    return max(min(float(text), sys.float_info.max), -sys.float_info.max)


def _integer(text: str) -> int | float:
    """As orjson has it: exact within 64 bits, the nearest double beyond."""
    if len(text) <= _LONGEST_INTEGER and -(1 << 63) <= (number := int(text)) < 1 << 64:
        return number
    return _float(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [item for item in level if type(item) is dict or type(item) is list]
        if not level:
            return False
        level = [part for item in level for part in (item.values() if type(item) is dict else item)]
    return True


def _gunzip(body: bytes) -> bytes:
    """All members of a gzip stream, fed in chunks: what is left of a chunk after a member is copied, so a stream of
    many tiny members in one piece would cost the square of its length."""
    out: list[bytes] = []
    room = MAX_UNPACKED_BYTES
    inflater = zlib.decompressobj(wbits=31)
    begun = False
    try:
        for start in range(0, len(body), _CHUNK):
            chunk = body[start : start + _CHUNK]
            while chunk:
                if not begun and out and not chunk.strip(b"\0"):
                    break  # padding after the last member
                begun = True
                piece = inflater.decompress(chunk, room + 1)
                room -= len(piece)
                if room < 0:
                    raise EventRejected("too_large", f"unpacks to more than {MAX_UNPACKED_BYTES} bytes")
                out.append(piece)
                if inflater.eof:
                    chunk = inflater.unused_data
                    inflater = zlib.decompressobj(wbits=31)
                    begun = False
                else:
                    chunk = inflater.unconsumed_tail
    except zlib.error as error:
        raise EventRejected("malformed_gzip", str(error)) from None
    if begun or not out:
        raise EventRejected("malformed_gzip", "the gzip stream is cut off")
    return b"".join(out)
