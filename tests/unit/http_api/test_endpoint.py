"""What every route has in common: no failure leaves as anything but a problem, and none tells what it should not."""

from __future__ import annotations

import json
import logging

import azure.functions as func
import pytest

from http_api.endpoint import Call, Endpoint, answer
from pipeline.ports import StoreUnavailable
from storage.sqlite import SqliteStore
from tests.support.http_client import Client


async def ask_one_that_raises(error: Exception) -> func.HttpResponse:
    async def handler(_: Call) -> func.HttpResponse:
        raise error

    endpoint = Endpoint("broken", "GET", "/api/broken", None, {}, handler, durable=False)
    return await answer(endpoint, func.HttpRequest("GET", "http://localhost/api/broken", body=b""), None)


async def test_an_unforeseen_error_is_a_500_that_the_log_explains(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = await ask_one_that_raises(RuntimeError("AccountKey=SECRET"))
    problem = json.loads(response.get_body())
    assert (response.status_code, response.mimetype) == (500, "application/problem+json")
    assert "SECRET" not in response.get_body().decode()
    assert "Traceback" not in response.get_body().decode()
    reference = problem["detail"].split()[-1]
    assert reference in caplog.text
    assert "AccountKey=SECRET" in caplog.text


async def test_a_store_that_cannot_be_reached_is_503_without_its_address() -> None:
    response = await ask_one_that_raises(StoreUnavailable("/home/somebody/store.db is locked"))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert b"somebody" not in response.get_body()


@pytest.mark.parametrize(
    "url",
    [
        "/api/batches",
        "/api/batches/b",
        "/api/deadletters",
        "/api/deadletters/l",
        "/api/stats",
        "/api/recovery",
        "/api/drones/d/history",
    ],
)
async def test_every_reading_route_says_when_the_store_is_away(
    ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    for port in (store.ledger, store.dead_letters, store.messages):
        for name in ("get", "list", "totals", "history", "coverage"):
            if hasattr(port, name):
                monkeypatch.setattr(port, name, away)
    assert (await ask.get(url)).status == 503
