"""Pages of other sites and names of others, against the host's own APIs."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from aiohttp import web
from functions_host.host_json import HostJson
from functions_host.http.cors import Cors
from functions_host.http.guard import KEY_SETTING, Guard
from multidict import CIMultiDict
from yarl import URL


class Asked:
    """As much of a request as the guard looks at."""

    def __init__(self, method: str, path: str, address: str, headers: dict[str, str]) -> None:
        self.method = method
        self.raw_path = path
        self.headers = CIMultiDict(headers)
        self.query = URL(path).query
        self.body_exists = "Content-Length" in self.headers
        self.transport = mock.Mock()
        self.transport.get_extra_info.return_value = (address, 7071)


def request(method: str = "POST", path: str = "/admin/functions/f", address: str = "127.0.0.1", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked(method, path, address, {"Host": "localhost:7071", **named})


def status(check: Any, made: Any) -> int:
    try:
        check(made)
    except web.HTTPException as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("LOCALHOST.:7071", 200),
        ("app.localhost:7071", 200),
        ("127.0.0.1:7071", 200),
        ("127.9.9.9", 200),
        ("[::1]:7071", 200),
        ("", 200),
        ("10.0.0.7:7071", 200),
        ("10.0.0.8", 400),
        ("evil.example:7071", 400),
        ("localhost.evil.example", 400),
        ("my.name", 200),
        ("a@localhost", 400),
        ("localhost/x", 400),
        ("localhost:port", 400),
        ("[::1", 400),
    ],
)
def test_only_our_names_are_answered_to(host: str, expected: int) -> None:
    guard = Guard.of(["My.Name"], None, closed=False)
    assert status(guard.check, request("GET", "/", address="10.0.0.7", Host=host)) == expected


def test_every_name_may_be_allowed() -> None:
    assert status(Guard.of(["*"], None, closed=False).check, request(Host="whatever.example")) == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:7071"}, 200),
        ({"Origin": "http://LOCALHOST:7071", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "https://front.example", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:3000", "Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "http://PAGE.example", "Sec_Fetch_Site": "cross-site"}, 200),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/admin/functions/f"),
        ("DELETE", "/runtime/webhooks/durabletask/instances"),
        ("GET", "/admin/warmup"),
        ("GET", "/Admin/Warmup/"),
    ],
)
def test_foreign_pages_change_nothing(headers: dict[str, str], expected: int, method: str, path: str) -> None:
    guard = Guard.of([], Cors(frozenset({"http://page.example"})), closed=False)
    assert status(guard.check_management, request(method, path, **headers)) == expected


def test_reading_is_not_held_up() -> None:
    made = request("GET", "/admin/functions", Origin="https://evil.example", Sec_Fetch_Site="cross-site")
    assert status(Guard().check_management, made) == 200


def test_cors_for_everyone_is_for_everyone() -> None:
    guard = Guard.of([], Cors(frozenset({"*"})), closed=False)
    assert status(guard.check_management, request(Origin="https://any.example")) == 200


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (None, 415),
        ("text/plain;charset=UTF-8", 415),
        ("application/x-www-form-urlencoded", 415),
        ("Multipart/Form-Data; boundary=x", 415),
        ("application/json", 200),
        ("application/octet-stream", 200),
    ],
)
def test_a_body_needs_a_content_type_that_a_page_must_ask_for(media: str | None, expected: int) -> None:
    headers = {"Content_Length": "2", **({} if media is None else {"Content_Type": media})}
    assert status(Guard().check_management, request(**headers)) == expected


def test_closed_apis_ask_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard.of([], None, closed=True)
    monkeypatch.delenv(KEY_SETTING, raising=False)
    paths = ["/admin/functions", "/admin/host/keys", "/runtime/webhooks/durabletask/instances", "/admin/warmup"]
    assert [status(guard.check_management, request("GET", path)) for path in paths] == [401] * 4
    assert status(guard.check_management, request("GET", "/admin/functions?code=")) == 401
    assert status(guard.check_management, request("GET", "/admin/host/status")) == 200
    assert status(guard.check_management, request("POST", "/admin/host/ping")) == 401
    monkeypatch.setenv(KEY_SETTING, "sesame")
    assert status(guard.check_management, request("GET", "/admin/functions")) == 401
    assert status(guard.check_management, request("GET", "/admin/functions?code=sesame")) == 200
    assert status(guard.check_management, request("GET", "/admin/functions", **{"x-functions-key": "sesame"})) == 200
    assert status(guard.check_management, request("GET", "/admin/functions?code=s%C3%A9same")) == 401


def test_an_app_says_in_host_json_when_they_are_closed() -> None:
    config = HostJson({}, closed_when={"AUTH_MODE": ("app-service", "entra")})
    assert config.closes_management({"AUTH_MODE": " App-Service"})
    assert not config.closes_management({"AUTH_MODE": "none"})
    assert not config.closes_management({})
