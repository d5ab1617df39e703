"""`deadletters`: list, show, replay, discard."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest

from telemetry_admin.dead_letters import SHOWN_BYTES, readable_body
from tests.support.admin import Admin
from tests.support.service import Service

ERROR = {"code": "battery_out_of_range", "field": "battery", "value": 7, "detail": "battery must be from 0 to 1"}
STILL = (409, {"title": "Still", "detail": "today's rules reject it too", "errors": [ERROR]})


def letter(name: str, body: bytes = b'{"battery":7}', **values: Any) -> dict[str, Any]:
    return {
        "id": name,
        "status": "open",
        "errors": [ERROR, {**ERROR, "code": "missing_device_id"}],
        "body": base64.b64encode(body).decode(),
        "deviceId": None,
        "attempts": 1,
        "enqueuedAt": "2026-01-02T03:04:05Z",
        **values,
    }


def test_dead_letters_are_a_table(admin: Admin, service: Service) -> None:
    service.answers["GET /api/deadletters"] = (200, {"items": [letter("l1")], "continuation": None})
    result = admin("deadletters", "list", "--error-code", "battery_out_of_range", "--device", "d", "--batch", "b")
    row = next(line for line in result.out.splitlines() if line.startswith("l1"))
    assert row.split() == ["l1", "open", "–", "battery_out_of_range,", "missing_device_id", "1", "2026-01-02T03:04:05Z"]
    assert service.asked[0][1] == {
        "errorCode": ["battery_out_of_range"],
        "deviceId": ["d"],
        "batchId": ["b"],
        "status": ["open"],
        "limit": ["1000"],
    }


def test_one_is_shown_with_reasons_and_body(admin: Admin, service: Service) -> None:
    service.answers["GET /api/deadletters/l1"] = (200, letter("l1", b'{"x":"\x1b[2J"}'))
    out = admin("deadletters", "show", "l1").out
    assert "battery must be from 0 to 1" in out
    assert r"\x1b[2J" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a":1}', '{"a":1}'),
        (gzip.compress(b'{"a":1}', mtime=0), '{"a":1}'),
        (b"\x1f\x8bxx", "1f 8b 78 78"),
        (b"\x0a\xff", "0a ff"),
        ("é".encode() * SHOWN_BYTES, "é" * (SHOWN_BYTES // 2) + " …"),
        (b"a" + "é".encode() * SHOWN_BYTES, "a" + "é" * (SHOWN_BYTES // 2 - 1) + " …"),
        (gzip.compress(b"a" * 50_000_000, mtime=0), "a" * SHOWN_BYTES + " …"),
        (b"", ""),
    ],
)
def test_a_body_is_readable_whatever_it_is(body: bytes, shown: str) -> None:
    assert readable_body(letter("l1", body)) == shown


def test_some_are_replayed(admin: Admin, service: Service) -> None:
    service.answers["POST /api/deadletters/l1/replay"] = (200, letter("l1", status="replayed"))
    service.answers["POST /api/deadletters/l2/replay"] = STILL
    service.answers["POST /api/deadletters/l3/replay"] = (409, {"title": "No", "detail": "dead letter l3 is discarded"})
    result = admin("deadletters", "replay", "l1", "l2", "l3")
    assert result.code == 1
    assert "l2" in result.out
    assert "battery_out_of_range" in result.out
    assert "l3: 409 No: dead letter l3 is discarded" in result.err
    assert result.out.splitlines()[-1] == "1 replayed, 1 still rejected, 1 refused"


def test_all_that_match_are_replayed(admin: Admin, service: Service) -> None:
    service.answers["GET /api/deadletters"] = (200, {"items": [letter("l1"), letter("l2")], "continuation": None})
    for name in ("l1", "l2"):
        service.answers[f"POST /api/deadletters/{name}/replay"] = (200, letter(name, status="replayed"))
    result = admin("deadletters", "replay", "--all", "--error-code", "battery_out_of_range", "--json")
    assert result.code == 0
    assert sorted(result.json()["replayed"]) == ["l1", "l2"]


def test_some_are_discarded_with_a_reason(admin: Admin, service: Service) -> None:
    service.answers["POST /api/deadletters/l1/discard"] = (200, letter("l1", status="discarded"))
    result = admin("deadletters", "discard", "l1", "nothing", "--reason", "test flight")
    assert (result.code, result.out.strip()) == (1, "1 discarded, 1 refused")
    assert service.asked[0][2] == {"reason": "test flight"}
