"""Addresses, authorization, exit codes, and words for what goes wrong."""

from __future__ import annotations

import pytest

from telemetry_admin.cli import main
from tests.support.admin import Admin
from tests.support.answers import STATS
from tests.support.service import Service


def usage_error(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_stats(admin: Admin, service: Service) -> None:
    service.answers["GET /api/stats"] = (200, STATS)
    out = admin("stats").out
    for words in ("drones", "failed", "battery_out_of_range", "2026-01-02T03:04:05Z"):
        assert words in out
    assert admin("stats", "--json").json() == STATS


def test_health_shows_the_parts_and_ends_accordingly(admin: Admin, service: Service) -> None:
    sick = {"status": "unhealthy", "parts": {"store": {"status": "unhealthy", "detail": "the disk is full"}}}
    service.answers["GET /api/health"] = [(503, sick), (200, {"status": "healthy", "parts": {}})]
    result = admin("health")
    assert result.code == 3
    assert "the disk is full" in result.out
    assert admin("health").code == 0


def test_a_token_a_header_and_a_key_go_along(admin: Admin, service: Service) -> None:
    service.answers["GET /api/stats"] = (200, STATS)
    admin("stats", "--token", "abc", "--header", "X-Me: you", "--code", "key")
    assert service.headers[0]["Authorization"] == "Bearer abc"
    assert service.headers[0]["X-Me"] == "you"
    assert service.asked[0][1] == {"code": ["key"]}


def test_the_environment_says_what_the_command_line_does_not(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answers["GET /api/stats"] = (200, STATS)
    monkeypatch.setenv("TELEMETRY_URL", service.url + "/")
    monkeypatch.setenv("TELEMETRY_TOKEN", "abc")
    assert main(["stats"]) == 0
    assert service.headers[0]["Authorization"] == "Bearer abc"
    assert capsys.readouterr().err == ""


def test_a_token_is_not_sent_in_the_clear(capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error("stats", "--url", "http://app.example", "--token", "abc") == 2
    assert "https" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("stats", "--url", "localhost:7071"),
        ("stats", "--header", "nonsense"),
        ("batches", "list", "--limit", "0"),
        ("batches", "replay"),
        ("batches", "replay", "b1", "--all"),
        ("deadletters", "replay"),
        ("deadletters", "discard", "l1"),
        ("deadletters", "list", "--status", "closed"),
        ("batches",),
        (),
    ],
)
def test_a_wrong_command_line_is_2_and_nothing_is_asked(
    service: Service, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert usage_error(*arguments) == 2
    assert service.asked == []
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (400, {"title": "A parameter", "detail": "query parameter 'status'"}, 1, "400 A parameter: query parameter"),
        (401, {"title": "Sign-in is required", "detail": "no principal"}, 1, "--token"),
        (403, {"title": "A role is missing", "detail": "the role Operate is needed"}, 1, "the role Operate is needed"),
        (404, b"nothing here", 1, "404 Not Found"),
        (500, b"<html>", 3, "500 Internal Server Error"),
        (503, {"title": "Unavailable", "detail": "the store"}, 3, "503 Unavailable: the store"),
        (200, b"<html>sign in</html>", 3, "does not answer as this service does"),
    ],
)
def test_an_answer_that_is_none_is_told_in_words(
    admin: Admin, service: Service, status: int, body: object, code: int, words: str
) -> None:
    service.answers["GET /api/batches"] = (status, body)
    result = admin("batches", "list")
    assert result.code == code
    assert words in result.err
    assert result.out == ""


def test_a_redirect_is_not_followed_to_a_page_that_asks_for_a_password(admin: Admin, service: Service) -> None:
    service.answers["GET /api/stats"] = (302, b"")
    service.extra["Location"] = "https://login.example"
    result = admin("stats")
    assert result.code == 3
    assert "redirects to https://login.example" in result.err


def test_no_service_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "--url", "http://127.0.0.1:1"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_trouble_in_the_middle_of_a_replay_is_not_taken_for_success(admin: Admin, service: Service) -> None:
    service.answers["POST /api/batches/b1/replay"] = (503, {"title": "Unavailable", "detail": "the store"})
    assert admin("batches", "replay", "b1").code == 3
    service.answers["POST /api/deadletters/l1/replay"] = (403, {"title": "A role is missing", "detail": "x"})
    assert admin("deadletters", "replay", "l1").code == 1
