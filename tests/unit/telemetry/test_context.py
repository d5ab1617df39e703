"""What comes with an event: kept, bounded by name, and what verdicts take from it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from telemetry.context import MAX_BYTES, context_of, property_of
from telemetry.envelope import pack, unpack
from telemetry.model import DeadLetter, EventContext
from telemetry.rules import Rules
from telemetry.validation import check_event, validate_dead_letter
from tests.support.frames import frame
from tests.support.messages import ENQUEUED_AT, FULL, NOW, RULES, accept, codes, delivery, reject, validate

IOTHUB = replace(RULES, device_id_source="iothub")
BY_KEY = replace(RULES, device_id_source="partition_key")


def annotated(device: str | None = "falcon-1", **more: Any) -> EventContext:
    system = {f"iothub-{name.replace('_', '-')}": value for name, value in more.items()}
    if device is not None:
        system["iothub-connection-device-id"] = device
    return {"system": system}


def only_message(body: Any, rules: Rules = RULES, **changes: Any) -> Any:
    result = validate(body, rules=rules, **changes)
    assert not result.dead_letters, result.dead_letters[0]["errors"]
    (message,) = result.messages
    return message


def test_nothing_is_none() -> None:
    assert context_of(None, {}, {}) is None
    assert context_of("", None, "not a dict") is None
    assert context_of(None, {"content-type": "x"}, {"content-type": "y", "x-opt-enqueued-time": 5, "to": "me"}) is None


def test_what_does_not_fit_is_named_and_the_rest_is_kept() -> None:
    context = context_of("key", {"a": "x" * 10_000, "b": "y" * 10_000, "c": 1}, {"message-id": "m"})
    assert context is not None
    assert context["leftOut"] == ["b"]
    assert set(context["properties"]) == {"a", "c"}
    assert context["system"] == {"message-id": "m"}
    assert len(orjson.dumps({**context, "leftOut": None})) <= MAX_BYTES
    message = only_message({"deviceId": "d"}, context=context)
    assert message["flags"] == ["context_left_out:b"]


def test_even_the_names_are_bounded() -> None:
    context = context_of(None, {f"{n}" * 300: "x" * MAX_BYTES for n in range(1000)}, None)
    assert context is not None
    assert len(orjson.dumps(context)) < 8 * 1024
    assert context["leftOut"][-1] == "and 968 more"


def test_a_property_is_found_whatever_its_case() -> None:
    context: EventContext = {"properties": {"MQTT-Topic": "t"}}
    assert property_of(context, "topic", "mqtt-topic") == "t"
    assert property_of(context, "other") is None
    assert property_of(None, "topic") is None


def test_the_context_goes_through_the_envelope_and_the_dead_letter() -> None:
    context = context_of("key", {"site": "north"}, {"message-id": "m"})
    sent = delivery({"deviceId": "d", "battery": 5}, context=context)
    assert unpack(pack([sent, delivery({})])) == [sent, delivery({})]
    (letter,) = validate({"deviceId": "d", "battery": 5}, context=context).dead_letters
    assert letter["context"] == context


def test_the_gateway_names_the_device() -> None:
    message = only_message({"battery": 0.5}, IOTHUB, context=annotated())
    assert (message["deviceId"], message["battery"]) == ("falcon-1", 0.5)
    assert only_message({"deviceId": "falcon-1"}, IOTHUB, context=annotated())["deviceId"] == "falcon-1"
    assert only_message({"deviceId": None}, IOTHUB, context=annotated())["deviceId"] == "falcon-1"
    assert only_message(frame(battery=0.5), IOTHUB, context=annotated())["deviceId"] == "falcon-1"
    assert only_message({}, BY_KEY, context={"partitionKey": "falcon-2"})["deviceId"] == "falcon-2"


def test_a_body_that_names_another_device_is_a_mismatch_however_often_it_is_replayed() -> None:
    (letter,) = validate({"deviceId": "other", "battery": 2}, rules=IOTHUB, context=annotated()).dead_letters
    assert sorted(codes(letter["errors"])) == [
        ("battery_out_of_range", "battery"),
        ("device_id_mismatch", "deviceId"),
    ]
    assert letter["deviceId"] == "falcon-1"
    again = validate_dead_letter(json.loads(json.dumps(letter)), IOTHUB)[1]
    assert sorted(codes(again)) == sorted(codes(letter["errors"]))


def test_a_replay_sees_what_the_first_run_saw() -> None:
    rejected = validate({"battery": 0.5}, rules=RULES, context=annotated()).dead_letters
    assert codes(rejected[0]["errors"]) == [("missing_device_id", "deviceId")]
    (message,), errors = validate_dead_letter(json.loads(json.dumps(rejected[0])), IOTHUB)
    assert not errors
    assert message["deviceId"] == "falcon-1"
    assert message["id"] == only_message({"battery": 0.5}, IOTHUB, context=annotated())["id"]


@pytest.mark.parametrize("context", [None, {}, annotated(None), {"partitionKey": "d"}])
def test_without_the_annotation_the_bodys_word_does_not_count(context: Any) -> None:
    assert codes(reject({"deviceId": "d"}, IOTHUB, context=context)) == [("missing_device_id", "deviceId")]


def test_without_a_partition_key_the_bodys_word_does_not_count() -> None:
    assert codes(reject({"deviceId": "d"}, BY_KEY)) == [("missing_device_id", "deviceId")]


@pytest.mark.parametrize(
    ("rules", "context", "source"),
    [
        (IOTHUB, annotated(), "annotation iothub-connection-device-id"),
        (BY_KEY, {"partitionKey": "falcon-1"}, "partition key"),
    ],
)
def test_the_detail_says_where_the_device_is_looked_for(rules: Rules, context: Any, source: str) -> None:
    # The body has a deviceId: that one is required would lead its sender astray.
    (missing,) = reject({"deviceId": "d"}, rules)
    assert missing["detail"].startswith(f"the event has no {source}, ")
    assert f"DEVICE_ID_SOURCE is {rules.device_id_source}" in missing["detail"]
    (mismatch,) = reject({"deviceId": "d"}, rules, context=context)
    assert mismatch["detail"] == f"the body names 'd', but the event's {source} names 'falcon-1'"


def test_what_is_sent_over_http_has_its_device_as_partition_key() -> None:
    accepted, rejected = check_event(b'{"deviceId":"d"}', "application/json", None, BY_KEY, NOW)
    assert ([message["deviceId"] for _, message in accepted], rejected) == (["d"], [])
    assert check_event(b'{"deviceId":"d"}', "application/json", None, IOTHUB, NOW)[0] == []


def test_times_beside_the_body_serve_where_it_has_none() -> None:
    created = annotated(creation_time_utc="2026-03-01T11:59:00Z", enqueuedtime="2026-03-01T11:59:30Z")
    message = only_message({"deviceId": "d"}, context=created)
    assert (message["time"], message["timeSource"]) == ("2026-03-01T11:59:00.000000Z", "device")
    assert message["id"].startswith("d")
    message = only_message({"deviceId": "d"}, context=annotated(enqueuedtime="2026-03-01T11:59:30.1234567"))
    assert (message["time"], message["timeSource"]) == ("2026-03-01T11:59:30.123456Z", "gateway")
    assert message["id"].startswith("h")
    message = only_message({"deviceId": "d", "timestamp": "2026-03-01T11:00:00Z"}, context=created)
    assert (message["time"], message["timeSource"]) == ("2026-03-01T11:00:00.000000Z", "device")


@pytest.mark.parametrize("word", ["soon", "1970-01-01T00:00:00Z", "2027-01-01T00:00:00Z", True, 5, {}])
def test_a_word_beside_the_body_that_is_no_plausible_time_is_passed_over(word: Any) -> None:
    message = only_message({"deviceId": "d"}, context=annotated(enqueuedtime=word))
    assert (message["time"], message["timeSource"]) == (ENQUEUED_AT, "hub")


def test_a_clock_that_was_never_set_is_flagged_and_the_hubs_time_counts() -> None:
    for said in ("1970-01-01T00:00:05Z", 0, 12345, "2014-12-31T23:59:59.999999Z"):
        message = accept({"deviceId": "d", "timestamp": said, "battery": 0.03, "note": 1})
        assert message["flags"] == ["implausible_clock"]
        assert (message["time"], message["timeSource"], message["battery"]) == (ENQUEUED_AT, "hub", 0.03)
        assert message["extra"] == {"deviceTime": said, "note": 1}
    assert accept({"deviceId": "d", "timestamp": "2015-01-01T00:00:00Z"})["flags"] == []


def odd(body: bytes, **system: str) -> list[DeadLetter]:
    context: EventContext = {"system": {name.replace("_", "-"): value for name, value in system.items()}}
    return validate({"deviceId": "a"}, body, {"deviceId": "b"}, context=context).dead_letters


def test_an_amqp_value_or_sequence_is_its_json() -> None:
    value: EventContext = {"system": {"body-type": "value"}}
    assert only_message(b'{"deviceId":"d"}', context=value)["deviceId"] == "d"
    result = validate(b'[{"deviceId":"d"},{"deviceId":"e"}]', context={"system": {"body-type": "sequence"}})
    assert [message["deviceId"] for message in result.messages] == ["d", "e"]


@pytest.mark.parametrize(
    ("body", "system"),
    [
        (b"\xff\xfe", {"body_type": "value"}),
        (b"{", {"body_type": "value"}),
        (b"what is left", {"body_error": "bytes in it are no UTF-8"}),
        (b"", {"body_error": "bytes in it are no UTF-8"}),
        (b'["//4="]', {"body_type": "sequence", "body_error": "bytes in it are no UTF-8"}),
    ],
)
def test_one_that_cannot_be_read_is_a_dead_letter_with_what_is_left(body: bytes, system: dict[str, str]) -> None:
    context: EventContext = {"system": {name.replace("_", "-"): value for name, value in system.items()}}
    (letter,) = validate(body, context=context).dead_letters
    assert codes(letter["errors"]) == [("unreadable_body", None)]
    assert letter["index"] is None
    assert codes(validate_dead_letter(letter, RULES)[1]) == [("unreadable_body", None)]


def test_a_large_event_that_is_wrong_throughout_is_one_dead_letter() -> None:
    result = validate([{"deviceId": "d", "battery": 2}] * 101)
    (letter,) = result.dead_letters
    assert (letter["messages"], letter["index"], letter["deviceId"]) == (101, None, "d")
    assert result.rejected == 101
    assert len(validate_dead_letter(letter, RULES)[1]) == 101
    (letter,) = validate([{"deviceId": f"d{n}", "battery": 2} for n in range(101)]).dead_letters
    assert letter["deviceId"] is None


@pytest.mark.parametrize(
    "elements",
    [
        [{"deviceId": "d", "battery": 2}] * 100,
        [{"deviceId": "d", "battery": 2}] * 101 + [{"deviceId": "d"}],
        [{"deviceId": "d", "battery": 2}] * 101 + [{"deviceId": "d", "battery": 2, "heading": 999}],
    ],
)
def test_others_are_one_dead_letter_each(elements: list[Any]) -> None:
    result = validate(elements)
    assert len(result.dead_letters) == len([e for e in elements if "battery" in e]) == result.rejected
    assert all(letter["messages"] == 1 for letter in result.dead_letters)


@pytest.mark.parametrize(
    "body",
    [
        {"latitude": 47, "longitude": -122},
        {"position": {"lat": 1}},
        {"time": "now"},
        {"batteryPercent": 50},
        {"position": {"lng": 2, "latitude": 1}},
        {"Battery": 0.5},
        {"flight_mode": "ready"},
        {"location": {"latitude": 1, "longitude": 2}},
        {"health": {"gyro": True}},
    ],
)
def test_misplaced_fields_are_flagged_and_kept(body: dict[str, Any]) -> None:
    message = accept({"deviceId": "d", **body})
    assert message["flags"] == ["misplaced_fields"]
    assert message["extra"]


@pytest.mark.parametrize("body", [{"firmware": "1"}, {"id": 5}, {"position": {"accuracy": 1}}, {"camera": {"yaw": 1}}])
def test_other_unknown_fields_are_not(body: dict[str, Any]) -> None:
    assert accept({"deviceId": "d", **body})["flags"] == []


def test_a_message_has_the_id_that_it_had_before_there_were_contexts_and_these_flags() -> None:
    """What was stored then is found again when its batch is replayed."""
    body = {"deviceId": "d", "timestamp": "2026-03-01T12:00:00Z", "lat": 5}
    assert accept(body)["id"] == "d387b4ffd6c0adac8a0473bdb2d801b5e"
    assert accept(body, context={"leftOut": ["x"]})["id"] == "d387b4ffd6c0adac8a0473bdb2d801b5e"
    assert accept(FULL)["id"] == "d489a489217e8f4d8e1ee5be11c45bfd1"
