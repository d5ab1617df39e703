"""The description and the routes say the same. (Every answer in these tests is held against it too: see conftest.)"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import http_api
from http_api import batches, dead_letters
from http_api.openapi import DOCUMENT
from http_api.openapi.schemas import BATCH_STATUS, DRONE_FIELDS
from pipeline.records import BatchStatus
from tests.support import states
from tests.support.conformance import Description
from tests.support.extension import Extension
from tests.support.http_client import FUNCTIONS, Client

OPERATIONS = Description(DOCUMENT).operations()
ENDPOINTS = {
    (endpoint.method, endpoint.path.replace("{*", "{").replace("?}", "}")): endpoint for endpoint in http_api.endpoints
}


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    assert set(OPERATIONS) == set(ENDPOINTS)
    assert len(FUNCTIONS) == len(ENDPOINTS)


def test_operations_are_called_as_their_functions() -> None:
    assert {key: operation["operationId"] for key, operation in OPERATIONS.items()} == {
        key: endpoint.name for key, endpoint in ENDPOINTS.items()
    }


def test_the_same_query_parameters_are_described_and_taken() -> None:
    for key, endpoint in ENDPOINTS.items():
        described = {p["name"] for p in OPERATIONS[key].get("parameters", []) if p["in"] == "query"}
        assert described == set(endpoint.query or {}), key


def test_the_same_body_fields_are_described_and_taken() -> None:
    for path, fields in [
        ("/api/batches/replay", batches.REPLAY_FIELDS),
        ("/api/deadletters/replay", dead_letters.REPLAY_FIELDS),
    ]:
        schema = OPERATIONS["POST", path]["requestBody"]["content"]["application/json"]["schema"]
        assert set(schema["properties"]) == set(fields)


def test_path_parameters_are_described() -> None:
    for (_, path), operation in OPERATIONS.items():
        described = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path))


def test_roles_are_described() -> None:
    for key, endpoint in ENDPOINTS.items():
        described = OPERATIONS[key].get("x-role")
        assert described == (None if endpoint.role is None else endpoint.role.value), key
        assert ({"401", "403"} <= set(OPERATIONS[key]["responses"])) == (endpoint.role is not None), key


def test_closed_lists_are_those_of_the_domain() -> None:
    assert set(BATCH_STATUS["enum"]) == {status.value for status in BatchStatus}


async def test_the_fields_that_can_be_selected_are_those_of_a_drone(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("drone-1"))
    assert set((await ask.get("/api/drones/drone-1")).json()) == set(DRONE_FIELDS)


async def test_it_is_served(ask: Client) -> None:
    answer = await ask.get("/api/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer.json()["openapi"].startswith("3.1.")


@pytest.mark.parametrize(
    ("status", "headers", "body", "told"),
    [
        (418, {}, {}, "not described"),
        (202, {"content-type": "text/plain"}, {"accepted": 1}, "text/plain is not described"),
        (202, {}, {"accepted": -1}, "minimum"),
        (202, {}, {}, "'accepted' is a required property"),
        (202, {}, {"accepted": 1, "more": 1}, "'more' was unexpected"),
        (503, {"content-type": "application/problem+json"}, {}, "Retry-After is missing"),
    ],
)
def test_an_answer_that_is_not_described_is_found(
    status: int, headers: dict[str, str], body: dict[str, Any], told: str
) -> None:
    answered = {"content-type": "application/json", **headers}
    with pytest.raises(AssertionError, match=told):
        Description(DOCUMENT).check("POST", "/api/telemetry", status, answered, json.dumps(body).encode())
