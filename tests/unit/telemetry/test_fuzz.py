"""Whatever bytes a hub delivers: accepted or rejected with reasons, never anything else."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from telemetry.decoding import decode_event
from telemetry.enrichment import enrich
from telemetry.merge import merge_messages
from telemetry.model import Delivery
from telemetry.rejection import EventRejected
from telemetry.validation import validate_batch, validate_dead_letter
from tests.support.frames import frame
from tests.support.messages import FULL, NOW, RULES, delivery

content_types = st.sampled_from([None, "application/json", "application/x-protobuf", "text/plain", "", ";"])
encodings = st.sampled_from([None, "gzip", "identity", ""])
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(list(FULL)) | st.text(), inner),
    max_leaves=12,
)
messages = st.fixed_dictionaries({}, optional={name: json_values | st.just(value) for name, value in FULL.items()})
GOOD_BODIES = [json.dumps(FULL).encode(), frame(deviceId="d", battery=0.5, position={"latitude": 1.0}, health={})]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    body = bytearray(draw(st.sampled_from([*GOOD_BODIES, *map(gzip.compress, GOOD_BODIES)])))
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(body) - 1))
        body[position : position + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
        if not body:
            break
    return bytes(body)


def check(event: Delivery) -> None:
    result = validate_batch([event], RULES, "batch-1", NOW)
    stored = json.loads(json.dumps([result.messages, result.dead_letters], allow_nan=False))
    assert stored == [result.messages, result.dead_letters]
    for letter in result.dead_letters:
        assert letter["errors"]
        assert all(set(error) == {"code", "field", "value", "detail"} for error in letter["errors"])
        assert validate_dead_letter(letter, RULES) == ([], letter["errors"])
    enrich(result.messages, None, None, RULES)
    merge_messages(result.messages)


@given(st.binary(max_size=200) | damaged(), content_types, encodings)
@example(b"\x1f\x8b", None, None)
@example(b"\xef\xbb\xbf", None, None)
@example(b'{"x":1e999', None, None)
def test_any_bytes(body: bytes, content_type: str | None, content_encoding: str | None) -> None:
    with suppress(EventRejected):
        decode_event(body, content_type, content_encoding)
    check(delivery(body, content_type=content_type, content_encoding=content_encoding))


@given(json_values | messages | st.lists(messages, max_size=4))
def test_any_json(value: Any) -> None:
    check(delivery(json.dumps(value).encode("utf-8", "surrogatepass")))
