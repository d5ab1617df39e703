from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from telemetry.identity import dead_letter_id
from telemetry.letters import delivery_of
from telemetry.model import DeadLetter
from telemetry.validation import check_event, validate_batch, validate_dead_letter, validate_in_pages
from tests.support.frames import frame
from tests.support.messages import (
    ENQUEUED_AT,
    FULL,
    NOW,
    RULES,
    accept,
    codes,
    delivery,
    validate,
)

BAD = {"deviceId": "drone-9", "battery": 5}


def body_of(letter: DeadLetter) -> bytes:
    return base64.b64decode(letter["body"])


def test_a_message_says_where_it_was_delivered() -> None:
    message = accept(FULL)
    assert message["enqueuedAt"] == ENQUEUED_AT
    assert (message["partition"], message["sequenceNumber"], message["index"]) == ("1", 42, 0)
    assert message["batchId"] == "batch-1"


def test_a_bad_message_harms_only_itself() -> None:
    result = validate([FULL, BAD, {"deviceId": "drone-8"}], b"\xff", {"deviceId": "drone-10"})
    assert [(m["deviceId"], m["index"]) for m in result.messages] == [("drone-7", 0), ("drone-8", 2), ("drone-10", 0)]
    assert [(d["deviceId"], d["index"]) for d in result.dead_letters] == [("drone-9", 1), (None, None)]


@pytest.mark.parametrize("element", [1, "text", None, [FULL], True])
def test_an_element_that_is_no_object(element: Any) -> None:
    result = validate([element, FULL])
    assert len(result.messages) == 1
    (letter,) = result.dead_letters
    assert codes(letter["errors"]) == [("not_an_object", None)]
    assert json.loads(body_of(letter)) == element


def test_a_dead_letter_of_a_whole_event() -> None:
    body = gzip.compress(json.dumps(BAD, indent=1).encode())
    (letter,) = validate(body, content_type="application/json", content_encoding="gzip").dead_letters
    errors = letter["errors"]
    assert codes(errors) == [("battery_out_of_range", "battery")]
    assert letter == {
        "errors": errors,
        "id": dead_letter_id("telemetry", "1", 42, ENQUEUED_AT, None),
        "status": "open",
        "body": base64.b64encode(body).decode(),
        "deviceId": "drone-9",
        "hub": "telemetry",
        "partition": "1",
        "offset": "4200",
        "sequenceNumber": 42,
        "enqueuedAt": ENQUEUED_AT,
        "index": None,
        "batchId": "batch-1",
        "attempts": 1,
        "createdAt": NOW,
        "resolvedAt": None,
        "reason": None,
        "contentType": "application/json",
        "contentEncoding": "gzip",
        "context": None,
        "messages": 1,
    }


def test_a_dead_letter_of_one_element_keeps_it_as_compact_json() -> None:
    body = b'[ {"deviceId": "ok"}, {"b": 1, "a": "\xc3\xa4", "deviceId": "drone-9", "battery": 5} ]'
    (letter,) = validate(body, content_type="text/plain", content_encoding="identity").dead_letters
    assert body_of(letter) == b'{"b":1,"a":"\xc3\xa4","deviceId":"drone-9","battery":5}'
    assert letter["id"] == dead_letter_id("telemetry", "1", 42, ENQUEUED_AT, 1)
    assert (letter["index"], letter["contentType"], letter["contentEncoding"]) == (1, "application/json", None)


def test_a_dead_letter_of_a_frame_keeps_the_frame() -> None:
    body = frame(deviceId="drone-3", battery=float("nan"))
    (letter,) = validate(body).dead_letters
    assert body_of(letter) == body
    assert letter["deviceId"] == "drone-3"
    json.dumps(letter, allow_nan=False)


@pytest.mark.parametrize("device", ["a b", 5, None, "x" * 65])
def test_a_dead_letter_names_no_illegal_device(device: Any) -> None:
    (letter,) = validate({"deviceId": device}).dead_letters
    assert letter["deviceId"] is None


def test_a_dead_letter_is_identified_by_its_place() -> None:
    (first,) = validate(BAD).dead_letters
    (again,) = validate({**BAD, "battery": 6}).dead_letters
    (elsewhere,) = validate(BAD, sequence_number=43).dead_letters
    assert first["id"] == again["id"] != elsewhere["id"]


def test_a_message_with_a_device_time_is_the_same_wherever_it_is_delivered() -> None:
    first = accept(FULL)
    elsewhere: dict[str, Any] = {"partition": "3", "sequence_number": 7, "enqueued_at": "2026-03-01T12:00:09.000000Z"}
    assert accept(FULL, **elsewhere)["id"] == first["id"]
    assert validate([BAD, FULL], **elsewhere).messages[0]["id"] == first["id"]
    assert accept(gzip.compress(json.dumps(FULL).encode()))["id"] == first["id"]


def test_another_writer_of_the_same_message_changes_no_identity() -> None:
    first = accept(FULL)
    rewritten = {
        **{key: FULL[key] for key in reversed(FULL)},
        "timestamp": "2026-03-01T13:00:00.250000+01:00",
        "flightMode": 3,
        "heading": 271,
    }
    assert accept(rewritten)["id"] == first["id"]
    assert accept({**FULL, "timestamp": 1772366400250})["id"] == first["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"deviceId": "drone-8"},
        {"timestamp": "2026-03-01T12:00:00.251Z"},
        {"battery": 0.76},
        {"health": {"gyrometer": True}},
        {"keyFrame": False},
        {"note": "x"},
    ],
)
def test_any_other_content_is_another_message(change: dict[str, Any]) -> None:
    assert accept({**FULL, **change})["id"] != accept(FULL)["id"]


def test_a_message_without_a_time_is_identified_by_its_place() -> None:
    body = {"deviceId": "drone-7", "battery": 0.5}
    first = accept(body)
    assert accept(body)["id"] == first["id"]
    places: list[dict[str, Any]] = [{"hub": "other"}, {"partition": "2"}, {"sequence_number": 43}, {"enqueued_at": NOW}]
    ids = {accept(body, **place)["id"] for place in places} | {m["id"] for m in validate([BAD, body]).messages}
    assert len(ids | {first["id"]}) == 6


def test_the_verdict_does_not_depend_on_the_clock_or_the_batch() -> None:
    batch = [delivery([FULL, BAD])]
    one = validate_batch(batch, RULES, "batch-1", NOW)
    other = validate_batch(batch, RULES, "batch-2", "2030-01-01T00:00:00.000000Z")
    assert [{**m, "batchId": ""} for m in one.messages] == [{**m, "batchId": ""} for m in other.messages]
    assert [m["id"] for m in one.dead_letters] == [m["id"] for m in other.dead_letters]


def test_a_message_accepted_on_replay_is_what_it_would_have_been() -> None:
    strict = replace(RULES, altitude_maximum=50.0)
    elements = [{"deviceId": "drone-1"}, FULL, {"deviceId": "drone-2", "position": {"altitude": 60}}]
    for body in (elements, FULL, elements[2], gzip.compress(json.dumps(FULL).encode())):
        expected = {m["id"]: m for m in validate(body).messages}
        for letter in validate(body, rules=strict).dead_letters:
            messages, errors = validate_dead_letter(letter, RULES)
            assert not errors
            (message,) = messages
            assert message == expected[message["id"]]


def test_a_replay_under_the_same_rules_gives_the_same_reasons() -> None:
    bodies = [BAD, [FULL, BAD, 5], b"{", b"\xff", gzip.compress(b"x")[:-3], b"", frame(deviceId="x y")]
    letters = [letter for body in bodies for letter in validate(body).dead_letters]
    assert len(letters) == 8
    for letter in letters:
        messages, errors = validate_dead_letter(letter, RULES)
        assert not messages
        assert errors == letter["errors"]


def test_an_element_is_never_taken_for_a_bundle_on_replay() -> None:
    (letter,) = validate([[FULL, FULL]]).dead_letters
    messages, errors = validate_dead_letter(letter, RULES)
    assert not messages
    assert codes(errors) == [("not_an_object", None)]


def test_a_whole_event_is_replayed_as_a_whole() -> None:
    (letter,) = validate(b"\xff").dead_letters
    letter["body"] = base64.b64encode(json.dumps([FULL, {"deviceId": "drone-2"}]).encode()).decode()
    messages, errors = validate_dead_letter(letter, RULES)
    assert [m["index"] for m in messages] == [0, 1]
    assert not errors
    letter["body"] = base64.b64encode(json.dumps([FULL, BAD]).encode()).decode()
    messages, errors = validate_dead_letter(letter, RULES)
    assert not messages
    assert codes(errors) == [("battery_out_of_range", "battery")]


def test_a_damaged_dead_letter_is_named() -> None:
    (letter,) = validate(BAD).dead_letters
    with pytest.raises(ValueError, match=letter["id"]):
        delivery_of({**letter, "body": "%%%"})
    messages, errors = validate_dead_letter({**letter, "index": 0, "body": base64.b64encode(b"{").decode()}, RULES)
    assert not messages
    assert codes(errors) == [("malformed_json", None)]


def test_a_body_can_be_checked_before_it_is_sent() -> None:
    accepted, rejected = check_event(json.dumps([FULL, BAD]).encode(), "application/json", None, RULES, NOW)
    assert [(element, message["deviceId"]) for element, message in accepted] == [(FULL, "drone-7")]
    assert [(entry.index, codes(entry.errors)) for entry in rejected] == [(1, [("battery_out_of_range", "battery")])]
    accepted, rejected = check_event(b"{", None, None, RULES, NOW)
    assert not accepted
    assert [(entry.index, codes(entry.errors)) for entry in rejected] == [(None, [("malformed_json", None)])]


def test_a_page_ends_with_the_event_that_fills_it() -> None:
    many = [delivery(json.dumps([{}] * 150).encode(), sequence_number=n) for n in range(4)]
    pages = list(validate_in_pages(many, RULES, "batch", NOW, 200))
    assert [(len(page.dead_letters), page.rejected) for page in pages] == [(2, 300), (2, 300)]
    assert [page.rejected for page in validate_in_pages([], RULES, "batch", NOW, 200)] == [0]
