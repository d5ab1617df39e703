"""Telemetry over HTTP: all or nothing, and what reaches the hub."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from event_hub.sending import EventTooLarge
from tests.support.http_client import Client, FakeHub

URL = "/api/telemetry"
GOOD: dict[str, Any] = {"deviceId": "drone-1", "battery": 0.5}
FRAME = bytes.fromhex("0a0764726f6e652d31") + b"\x11" + bytes.fromhex("000000000000e03f")  # drone-1, battery 0.5


def sent(hub: FakeHub) -> list[tuple[str, Any]]:
    return [(event.partition_key, json.loads(event.body)) for event in hub.sent]


async def test_one_message_goes_to_its_devices_key(ask: Client, hub: FakeHub) -> None:
    answer = await ask.post(URL, GOOD)
    assert (answer.status, answer.json()) == (202, {"accepted": 1})
    assert sent(hub) == [("drone-1", GOOD)]
    assert hub.sent[0].content_type == "application/json"


async def test_each_message_of_an_array_is_an_event(ask: Client, hub: FakeHub) -> None:
    messages: list[dict[str, Any]] = [
        GOOD,
        {"deviceId": "drone-2", "extra": [1]},
        {"deviceId": "drone-1", "battery": 0.4},
    ]
    assert (await ask.post(URL, messages)).json() == {"accepted": 3}
    assert sent(hub) == [(message["deviceId"], message) for message in messages]


async def test_an_empty_array_is_nothing_and_no_error(ask: Client, hub: FakeHub) -> None:
    assert (await ask.post(URL, [])).json() == {"accepted": 0}
    assert hub.sent == []


async def test_a_protobuf_frame_goes_on_as_it_came(ask: Client, hub: FakeHub) -> None:
    answer = await ask.post(URL, FRAME, content_type="application/x-protobuf")
    assert (answer.status, answer.json()) == (202, {"accepted": 1})
    (event,) = hub.sent
    assert (event.partition_key, event.body, event.content_type) == ("drone-1", FRAME, "application/x-protobuf")


async def test_gzip_is_unpacked(ask: Client, hub: FakeHub) -> None:
    body = gzip.compress(json.dumps([GOOD]).encode())
    answer = await ask.post(URL, body, content_type="application/json; charset=utf-8", content_encoding="gzip")
    assert answer.status == 202
    assert sent(hub) == [("drone-1", GOOD)]


async def test_one_bad_message_stops_all_and_every_rule_is_told(ask: Client, hub: FakeHub) -> None:
    answer = await ask.post(URL, [GOOD, {"deviceId": "-", "battery": 2}, GOOD, 7])
    problem = answer.json()
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert [error["index"] for error in problem["errors"]] == [1, 3]
    assert {error["code"] for error in problem["errors"][0]["errors"]} == {"invalid_device_id", "battery_out_of_range"}
    assert [error["code"] for error in problem["errors"][1]["errors"]] == ["not_an_object"]
    assert hub.sent == []


async def test_of_very_many_errors_the_first_are_listed_and_the_rest_counted(ask: Client) -> None:
    answer = await ask.post(URL, [0] * 250)
    problem = answer.json()
    assert (answer.status, [error["index"] for error in problem["errors"]]) == (400, list(range(100)))
    assert "250 messages break the rules" in problem["detail"]
    assert "150 more" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", "application/json", "empty_body"),
        (b"{", "application/json", "malformed_json"),
        (FRAME, "application/json", "malformed_json"),
        (b"\x0a\xff", "application/x-protobuf", "malformed_protobuf"),
        (b"\x1f\x8b\x00", "application/json", "malformed_gzip"),
    ],
)
async def test_a_body_that_cannot_be_read_is_one_error_of_the_whole(
    ask: Client, body: bytes, content_type: str, code: str
) -> None:
    problem = (await ask.post(URL, body, content_type=content_type)).json()
    assert problem["status"] == 400
    assert [(error["index"], error["errors"][0]["code"]) for error in problem["errors"]] == [(None, code)]


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "text/plain"}, {"content-type": "application/json", "content-encoding": "compress"}],
)
async def test_other_media_types_are_415(ask: Client, hub: FakeHub, headers: dict[str, str]) -> None:
    answer = await ask("POST", URL, GOOD, headers)
    assert answer.status == 415
    assert hub.sent == []


async def test_a_mebibyte_is_the_limit(ask: Client, hub: FakeHub) -> None:
    start = b'{"deviceId":"drone-1","x":"'
    fits = start + b"a" * (1024 * 1024 - len(start) - 2) + b'"}'
    assert (await ask.post(URL, fits)).status == 202
    assert (await ask.post(URL, fits + b" ")).status == 413
    assert len(hub.sent) == 1


async def test_what_the_hub_does_not_take_for_its_size_is_413(ask: Client, hub: FakeHub) -> None:
    hub.error = EventTooLarge("one message of 'drone-1' is larger than the hub takes")
    assert (await ask.post(URL, GOOD)).status == 413


async def test_a_hub_that_cannot_be_reached_is_503_with_a_time_to_wait(ask: Client, hub: FakeHub) -> None:
    hub.down = True
    answer = await ask.post(URL, GOOD)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


async def test_the_future_is_judged_by_the_clock_here(ask: Client) -> None:
    problem = (await ask.post(URL, {**GOOD, "timestamp": "9999-01-01T00:00:00.000000Z"})).json()
    assert problem["errors"][0]["errors"][0]["code"] == "timestamp_in_future"
