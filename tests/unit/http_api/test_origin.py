"""Pages of other sites: they change nothing, with whatever trick a browser allows them."""

from __future__ import annotations

from typing import Any

import pytest

import http_api
from http_api.endpoint import Endpoint
from http_api.origin import SAFE_METHODS
from settings import SettingError, read_settings
from tests.support.http_client import Client, FakeHub

URL = "/api/telemetry"
GOOD = {"deviceId": "drone-1", "battery": 0.5}
CHANGING = [endpoint for endpoint in http_api.endpoints if endpoint.method not in SAFE_METHODS]


def url_of(endpoint: Endpoint) -> str:
    return endpoint.path.replace("{id}", "x").replace("{version}", "1")


@pytest.mark.parametrize("endpoint", CHANGING, ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("body", [None, GOOD], ids=["no body", "a body"])
async def test_every_route_that_changes_something_refuses_foreign_pages(
    ask: Client, hub: FakeHub, endpoint: Endpoint, body: Any
) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-site"},
    ):
        answer = await ask(endpoint.method, url_of(endpoint), body, headers)
        assert (answer.status, answer.json()["type"]) == (403, "urn:drone-telemetry:problem:foreign-origin"), headers
    assert hub.sent == []


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:7072",
        "http://localhost",
        "http://localhost.evil.example:7071",
        "http://127.0.0.1:7071",
        "ftp://localhost:7071",
        "http://localhost:port",
        "http://[",
        "localhost:7071",
    ],
)
async def test_what_is_not_our_own_origin(ask: Client, origin: str) -> None:
    assert (await ask.post(URL, GOOD, Origin=origin)).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:7071"},
        {"Origin": "http://LOCALHOST:7071", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://drones.example.org", "Host": "drones.example.org"},  # TLS ends in front of the app
        {"Origin": "https://drones.example.org", "Sec-Fetch-Site": "same-origin", "Host": "internal:80"},
    ],
)
async def test_programs_and_our_own_page_are_let_in(ask: Client, hub: FakeHub, headers: dict[str, str]) -> None:
    assert (await ask("POST", URL, GOOD, headers)).status == 202


async def test_reading_is_not_held_up(ask: Client) -> None:
    assert (await ask.get("/api/drones", Origin="https://evil.example", Sec_Fetch_Site="cross-site")).status == 200


@pytest.mark.parametrize(
    ("setting", "origin", "status"),
    [
        ("https://one.example, https://two.example:8443", "https://TWO.example:8443", 202),
        ("https://one.example", "https://two.example", 403),
        ("*", "null", 202),
    ],
)
async def test_a_setting_names_pages_that_may(
    ask: Client, environment: pytest.MonkeyPatch, setting: str, origin: str, status: int
) -> None:
    environment.setenv("ALLOWED_ORIGINS", setting)
    assert (await ask.post(URL, GOOD, Origin=origin, Sec_Fetch_Site="cross-site")).status == status


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ('["https://One.example/", "https://two.example"]', {"https://one.example", "https://two.example"}),
        ('["*"]', {"*"}),
        ("https://one.example", set()),
        ("{}", set()),
    ],
)
def test_what_the_platform_allows_is_taken_over(value: str, origins: set[str]) -> None:
    assert read_settings({"WEBSITE_CORS_ALLOWED_ORIGINS": value}).allowed_origins == origins


@pytest.mark.parametrize("value", ["example.org", "https://example.org/path", "https://*.example.org"])
def test_a_wrong_origin_stops_the_start(value: str) -> None:
    with pytest.raises(SettingError, match="ALLOWED_ORIGINS"):
        read_settings({"ALLOWED_ORIGINS": value})


@pytest.mark.parametrize("endpoint", CHANGING, ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize(
    "kind", ["", " ", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ";"]
)
async def test_a_body_needs_a_type_that_forms_do_not_know(
    ask: Client, hub: FakeHub, endpoint: Endpoint, kind: str
) -> None:
    for body in (b'{"deviceId": "drone-1", "battery": 0.5}', b" "):
        answer = await ask(endpoint.method, url_of(endpoint), body, {"content-type": kind})
        assert answer.status == 415
    assert hub.sent == []
