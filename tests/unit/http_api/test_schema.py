"""The JSON Schema of a message: served with the settings' ranges, and in agreement with what is accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from telemetry.schema import message_schema
from tests.support.http_client import Client
from tests.support.messages import FULL, RULES, validate

SCHEMA = Draft202012Validator(message_schema(RULES))


async def test_it_is_served_to_everybody_with_the_ranges_in_force(ask: Client, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALTITUDE_RANGE_METRES", "-10,500")
    answer = await ask.get("/api/schemas/telemetry.json")
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    Draft202012Validator.check_schema(schema)
    altitude = schema["properties"]["position"]["properties"]["altitude"]
    assert (altitude["minimum"], altitude["maximum"]) == (-10, 500)
    assert "metres" in altitude["description"]
    (example,) = schema["examples"]
    Draft202012Validator(message_schema(RULES)).validate(example)
    (message,) = validate(example).messages
    assert message["flags"] == []
    assert "extra" not in message


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"battery": 1.5},
        {"battery": "full"},
        {"battery": True},
        {"battery": None},
        {"heading": -180},
        {"heading": 361},
        {"flightMode": "flying"},
        {"flightMode": 6},
        {"flightMode": 2.5},
        {"position": {"latitude": 91}},
        {"position": {"altitudeReference": "agl"}},
        {"position": {"height": 20001}},
        {"position": {"height": None}},
        {"position": []},
        {"health": {"gyrometer": 1}},
        {"mission": "m" * 65},
        {"signal": -0.1},
        {"verticalSpeed": -200.5},
        {"groundSpeed": -1},
        {"deviceId": "a b"},
        {"deviceId": 5},
        {"keyFrame": "yes"},
        {"timestamp": {}},
        {"timestamp": 1767225600.5},
        {"unknown": 1},
    ],
)
def test_it_agrees_with_what_is_accepted(change: dict[str, Any]) -> None:
    body = {**FULL, **change}
    rules = replace(RULES, future_tolerance_seconds=1e12)
    assert SCHEMA.is_valid(body) == (not validate(body, rules=rules).dead_letters)
