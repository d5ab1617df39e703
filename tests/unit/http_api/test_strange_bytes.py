"""A few strange bytes are a bad request, never a failure of the app."""

from __future__ import annotations

import base64
import json

import pytest

from storage.continuation import encode, query_digest
from tests.support.extension import Extension
from tests.support.http_client import Client

LISTS = ["/api/drones", "/api/batches", "/api/deadletters", "/api/drones/drone-1/history"]


@pytest.mark.parametrize(
    "value",
    [
        "1e20",
        "-1e300",
        "1.5",
        "true",
        '"7"',
        "{}",
        "[" * 900 + "]" * 900,
        '{"a":' * 900 + "1" + "}" * 900,
        "0",
        "1" * 400,
    ],
)
@pytest.mark.parametrize("url", ["/api/batches/replay", "/api/deadletters/replay"])
async def test_a_limit_that_is_none_is_named(ask: Client, url: str, value: str) -> None:
    answer = await ask.post(url, b'{"limit": ' + value.encode() + b"}")
    assert answer.status == 400
    assert "limit" in answer.json()["detail"] or "not JSON" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"\xff\xfe",
        b'{"status": "\\ud800"}',
        b"\x00",
        b'{"\\u0000": 1}',
    ],
)
@pytest.mark.parametrize("url", ["/api/batches/replay", "/api/batches/x/replay", "/api/deadletters/x/discard"])
async def test_deep_and_broken_json(ask: Client, url: str, body: bytes) -> None:
    assert (await ask.post(url, body)).status == 400


@pytest.mark.parametrize(
    "token", ["%0d%0a", "a%0d%0aX-Evil:%201", "%00", "%c3%a9", "%ff", "%F0%9F%9A%81", "a" * 9000, ""]
)
@pytest.mark.parametrize("url", LISTS)
async def test_a_continuation_of_strange_bytes(ask: Client, url: str, token: str) -> None:
    answer = await ask.get(f"{url}?continuation={token}")
    assert answer.status == 400
    assert "continuation" in answer.json()["detail"]


@pytest.mark.parametrize("inside", ["a\r\nX-Evil: 1", "\x00", "é", "🚁", "x" * 5000])
async def test_a_forged_token_carries_nothing_into_the_extensions_header(ask: Client, inside: str) -> None:
    nothing = (None,) * 7
    token = encode(query_digest("fleet", *nothing), inside, "")
    assert (await ask.get(f"/api/drones?continuation={token}")).status == 400


async def test_a_forged_token_that_could_be_one_reaches_the_extension(ask: Client, extension: Extension) -> None:
    digest = query_digest("fleet", *(None,) * 7)
    assert (await ask.get(f"/api/drones?continuation={encode(digest, 'bm9uZQ==', '')}")).status == 200
    assert (await ask.get(f"/api/drones?continuation={encode(digest, 'not one of its tokens', '')}")).status == 400
    assert len(extension.requests) == 2


@pytest.mark.parametrize("url", LISTS)
async def test_a_forged_token_of_deep_json(ask: Client, url: str) -> None:
    token = base64.urlsafe_b64encode(json.dumps([]).encode().replace(b"[]", b"[" * 2000 + b"]" * 2000)).decode()
    assert (await ask.get(f"{url}?continuation={token.rstrip('=')}")).status == 400
