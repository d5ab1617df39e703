from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from telemetry import encodings
from telemetry.decoding import decode_event
from telemetry.rejection import EventRejected
from tests.support.frames import frame
from tests.support.messages import FULL, accept, codes, reject, validate

JSON_TYPE = "application/json"
PROTOBUF_TYPE = "application/x-protobuf"


def value_of(*event: Any) -> Any:
    return decode_event(*event)[0]


GOOD = {"deviceId": "d"}


def code_of(body: bytes, content_type: str | None = None, content_encoding: str | None = None) -> str:
    with pytest.raises(EventRejected) as rejected:
        decode_event(body, content_type, content_encoding)
    code: str = rejected.value.error["code"]
    return code


def nested(depth: int) -> bytes:
    return b'{"deviceId":"d","x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize("content_type", [None, JSON_TYPE, "Application/JSON; charset=utf-8", "text/plain"])
def test_an_object_is_one_message(content_type: str | None) -> None:
    assert value_of(b' {"deviceId": "d"}\n', content_type, None) == GOOD


def test_an_array_is_many_messages_and_an_empty_one_none() -> None:
    assert value_of(b'[{"deviceId":"d"},{"deviceId":"d"}]', None, None) == [GOOD, GOOD]
    assert value_of(b"[]", None, None) == []
    result = validate(b"[]")
    assert not result.messages
    assert not result.dead_letters


@pytest.mark.parametrize(
    "content_type", [None, PROTOBUF_TYPE, "application/X-Protobuf ;v=1", "application/octet-stream"]
)
def test_a_frame_is_told_from_json(content_type: str | None) -> None:
    assert value_of(frame(deviceId="d"), content_type, None) == GOOD


def test_a_frame_may_look_like_white_space_and_json_may_start_with_a_newline() -> None:
    assert frame(deviceId="d")[0] == ord("\n")
    assert value_of(b'\n\n{"deviceId":"d"}', None, None) == GOOD


@pytest.mark.parametrize("body", [b'{"deviceId":"d"}', b"[]"])
def test_the_content_type_decides(body: bytes) -> None:
    assert code_of(body, PROTOBUF_TYPE) == "malformed_protobuf"
    assert code_of(frame(deviceId="d"), JSON_TYPE) == "malformed_json"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"deviceId":', "malformed_json"),
        (b"  \n[1,]", "malformed_json"),
        (b"\xef\xbb\xbf{", "malformed_json"),
        (b"hello", "malformed_protobuf"),
        (b"5", "malformed_protobuf"),
        (b'"text"', "malformed_protobuf"),
        (b"\n", "malformed_protobuf"),
        (b"   ", "malformed_protobuf"),
        (b"\xff\xfe{\x00}\x00", "malformed_protobuf"),
    ],
)
def test_what_is_neither(body: bytes, code: str) -> None:
    assert code_of(body) == code


@pytest.mark.parametrize("body", [b"5", b'"text"', b"null", b"true"])
def test_a_json_scalar_is_not_an_object(body: bytes) -> None:
    assert codes(reject(body, content_type=JSON_TYPE)) == [("not_an_object", None)]


@pytest.mark.parametrize(
    "body",
    [
        b'{"deviceId":"d","battery":NaN}',
        b'{"deviceId":"d","battery":Infinity}',
        b'{"deviceId":"d","battery":-Infinity}',
        b'{"deviceId":"d","x":"\\ud800"}',
        b'{"deviceId":"d","x":"\\udc00\\ud800"}',
        b'{"deviceId":"d","\\ud800":1}',
        b'{"deviceId":"d","x":"\xed\xa0\x80"}',
        b'{"deviceId":"d","x":"\xff"}',
        b'{"deviceId":"d","x":01}',
        b'{"deviceId":"d","x":"\x01"}',
        b"{'deviceId':'d'}",
        b'{"deviceId":"d"}{"deviceId":"d"}',
        b'{"deviceId":"d"}\x00',
        b'\xef\xbb\xbf\xef\xbb\xbf{"deviceId":"d"}',
        nested(65),
        nested(1000),
        nested(100_000),
        # Beside a number that only the second parser reads, which is no less strict.
        b'{"x":1e400,"battery":NaN}',
        b'{"x":1e400,"y":Infinity}',
        b'{"x":1e400,"y":"\\ud800"}',
        b'{"x":1e400,"\\ud800":1}',
        b'{"x":1e400,"y":"\xff"}',
        b'{"x":1e400,"y":' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"x":1e400,"y":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x":1e400}{',
    ],
)
@pytest.mark.parametrize("content_type", [None, JSON_TYPE])
def test_strictness(body: bytes, content_type: str | None) -> None:
    expected = (
        "malformed_protobuf" if body.startswith(b"\xef\xbb\xbf\xef") and content_type is None else "malformed_json"
    )
    assert code_of(body, content_type) == expected


def test_a_byte_order_mark_is_skipped() -> None:
    assert value_of(b'\xef\xbb\xbf{"deviceId":"d"}', None, None) == GOOD
    assert value_of(b'\xef\xbb\xbf[{"deviceId":"d"}]', JSON_TYPE, None) == [GOOD]


def test_of_duplicate_keys_the_last_counts() -> None:
    assert accept(b'{"deviceId":"d","battery":7,"battery":0.5}')["battery"] == 0.5


def test_nesting_of_64_is_allowed() -> None:
    assert accept(nested(64))["deviceId"] == "d"
    flat = b"[" + b",".join([b'{"deviceId":"d","x":[{}]}'] * 100) + b"]"
    assert len(validate(flat).messages) == 100


def test_brackets_in_strings_are_no_nesting() -> None:
    assert accept({"deviceId": "d", "x": "[{" * 100})["extra"] == {"x": "[{" * 100}


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" * 400, b"1e0000000000500", b"1E+999"])
def test_a_number_beyond_a_double_spoils_its_message_only(number: bytes) -> None:
    result = validate(b'[{"deviceId":"d","battery":' + number + b'},{"deviceId":"e","battery":0.5}]')
    assert [message["deviceId"] for message in result.messages] == ["e"]
    (letter,) = result.dead_letters
    assert codes(letter["errors"]) == [("battery_out_of_range", "battery")]
    json.dumps(letter, allow_nan=False)


@pytest.mark.parametrize("number", ["1e400", "1" * 400])
def test_no_speed_is_beyond_a_double(number: str) -> None:
    errors = reject(f'{{"deviceId":"d","groundSpeed":{number}}}'.encode())
    assert codes(errors) == [("ground_speed_out_of_range", "groundSpeed")]


def test_both_parsers_read_the_same_numbers() -> None:
    for text in ("18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809"):
        with_huge = value_of(f'{{"x":{text},"huge":1e400}}'.encode(), None, None)
        without = value_of(f'{{"x":{text}}}'.encode(), None, None)
        assert isinstance(with_huge, dict)
        assert isinstance(without, dict)
        assert with_huge["x"] == without["x"]
        assert type(with_huge["x"]) is type(without["x"])


def test_empty() -> None:
    assert code_of(b"") == "empty_body"
    assert code_of(b"", JSON_TYPE) == "empty_body"
    assert code_of(gzip.compress(b"")) == "empty_body"


@pytest.mark.parametrize("content_encoding", [None, "gzip", " GZIP "])
def test_gzip_is_unpacked(content_encoding: str | None) -> None:
    assert value_of(gzip.compress(b'{"deviceId":"d"}'), JSON_TYPE, content_encoding) == GOOD
    assert value_of(gzip.compress(frame(deviceId="d")), None, content_encoding) == GOOD


def test_gzip_may_have_several_members_and_padding() -> None:
    body = gzip.compress(b'{"device') + gzip.compress(b"") + gzip.compress(b'Id":"d"}')
    assert value_of(body, None, None) == GOOD
    assert value_of(body + bytes(100), None, None) == GOOD


def test_gzip_longer_than_a_chunk() -> None:
    message = {"deviceId": "d", "x": "".join(chr(0x4E00 + i * 7919 % 20000) for i in range(200_000))}
    body = gzip.compress(json.dumps(message, ensure_ascii=False).encode())
    assert len(body) > 4 * 64 * 1024
    assert value_of(body, None, None) == message


@pytest.mark.parametrize(
    ("body", "content_encoding"),
    [
        (b'{"deviceId":"d"}', "gzip"),
        (b"\x1f\x8b", None),
        (b"\x1f\x8b\x08garbage-garbage-garbage", None),
        (gzip.compress(mtime=0, data=b'{"deviceId":"d"}')[:-1], None),
        (gzip.compress(mtime=0, data=b'{"deviceId":"d"}')[:-12], None),
        (gzip.compress(mtime=0, data=b'{"deviceId":"d"}')[:-8] + bytes(8), None),
        (gzip.compress(mtime=0, data=b'{"deviceId":"d"}') + b"tail", None),
        (zlib.compress(b'{"deviceId":"d"}'), "gzip"),
        (bytes(50), "gzip"),
    ],
)
def test_malformed_gzip(body: bytes, content_encoding: str | None) -> None:
    assert code_of(body, JSON_TYPE, content_encoding) == "malformed_gzip"


def test_an_empty_body_is_empty_whatever_it_claims() -> None:
    assert code_of(b"", None, "gzip") == "empty_body"


def test_gzip_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "MAX_UNPACKED_BYTES", 1000)
    exact = b'{"deviceId":"d","x":"' + b"x" * (1000 - 23) + b'"}'
    assert len(exact) == 1000
    assert value_of(gzip.compress(exact), None, None)
    assert code_of(gzip.compress(exact + b" ")) == "too_large"
    assert code_of(gzip.compress(b"x" * 600) + gzip.compress(b"x" * 600)) == "too_large"


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024), compresslevel=1)
    assert code_of(bomb) == "too_large"


def test_many_tiny_members_are_read_in_linear_time() -> None:
    body = gzip.compress(b"") * 50_000
    assert code_of(body) == "empty_body"


def test_too_many_messages_are_one_dead_letter() -> None:
    many = b"[" + b",".join([b'{"deviceId":"d"}'] * 10_001) + b"]"
    assert codes(reject(many)) == [("too_many_messages", None)]
    allowed = b"[" + b",".join([b'{"deviceId":"d"}'] * 10_000) + b"]"
    assert len(validate(allowed).messages) == 10_000


def test_gzip_of_a_full_message_is_that_message() -> None:
    plain = accept(FULL)
    assert accept(gzip.compress(json.dumps(FULL).encode()), content_encoding="gzip") == plain
