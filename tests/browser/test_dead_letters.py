"""Dead letters in groups, a copy that is put right while it is checked, and many at a time with a way to stop."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_api import StubApi, letter, stamp
from tools.local_host import wait_until

pytestmark = pytest.mark.e2e

TOO_FULL = {"code": "battery_out_of_range", "field": "battery", "value": 5, "detail": "battery must be from 0 to 1"}
NAMED = [{"id": "m1", "deviceId": "drone-1", "time": stamp(1_780_000_000)}]


def checked(body: Any) -> tuple[int, Any]:
    """As the app judges it: a battery of five is too full, anything else will do."""
    if "5" in body["text"]:
        return 200, {"accepted": 0, "messages": [], "errors": [TOO_FULL]}
    return 200, {"accepted": 1, "messages": NAMED, "errors": []}


def test_a_copy_is_checked_while_one_types_and_stored_in_the_letters_place(stub: StubApi, open_page: OpenPage) -> None:
    stub.letters = [letter(1, b'{"deviceId":"drone-1","battery":5}', [TOO_FULL])]
    stub.answers["POST /api/deadletters/letter-1/check"] = checked
    page = open_page(stub.url + "#/deadletters/letter-1")
    page.get_by_role("button", name="Correct a copy").click()
    editor = page.get_by_role("region", name="Corrected copy")
    text = editor.get_by_role("textbox")
    expect(text).to_be_focused()
    expect(text).to_have_value(re.compile('"battery": 5'))
    expect(text).to_have_attribute("aria-invalid", "true")
    expect(editor).to_contain_text("battery must be from 0 to 1")
    send = editor.get_by_role("button", name="Store in its place")
    expect(send).to_be_disabled()
    assert accessibility_problems(page) == []
    text.press("Escape")
    expect(editor).to_be_visible()

    asked = len(stub.changes)
    text.fill("")
    text.press_sequentially('{"deviceId":"drone-1"}', delay=5)
    expect(editor).to_contain_text("Accepted: 1 message of drone-1")
    assert len(stub.changes) - asked < 6, "not a question for every key"
    # What the server says when it comes to it counts.
    stub.answers["POST /api/deadletters/letter-1/correct"] = (
        409,
        {"title": "The message still breaks the rules", "errors": [TOO_FULL]},
    )
    send.click()
    expect(editor).to_contain_text("Still rejected: 1 rule broken.")
    text.press_sequentially(" ")
    expect(send).to_be_enabled()

    def stored(body: Any) -> tuple[int, Any]:
        stub.letters[0] |= {
            "status": "replayed",
            "resolvedAt": stamp(1_780_000_100),
            "correction": {
                "at": stamp(1_780_000_100),
                "by": "Ann",
                "body": "eyJkZXZpY2VJZCI6ImRyb25lLTEifQ==",
                "count": 1,
            }
            | {"contentType": "application/json", "contentEncoding": None, "messages": NAMED},
        }
        return 200, stub.letters[0]

    stub.answers["POST /api/deadletters/letter-1/correct"] = stored
    send.click()
    answered = page.get_by_role("region", name="Correction")
    expect(answered).to_contain_text("by Ann: 1 message")
    expect(answered.get_by_role("link", name="drone-1")).to_have_attribute("href", "#/fleet/drone-1")
    expect(page.get_by_label("Body as it came as JSON")).to_contain_text('"battery": 5')
    expect(page.get_by_label("Copy as JSON")).not_to_contain_text("battery")
    assert stub.changes[-1] == ("POST /api/deadletters/letter-1/correct", {"text": '{"deviceId":"drone-1"} '})


@pytest.fixture
def watch_console() -> list[str]:
    return ["409"]


def test_groups_lead_to_their_letters_and_are_replayed(stub: StubApi, open_page: OpenPage) -> None:
    stub.letters = [letter(1, b"{}", [TOO_FULL])]
    group = {"errorCode": "battery_out_of_range", "deviceId": "drone-1", "letters": 31}
    group |= {"newestAt": stamp(1_780_000_000), "oldestAt": stamp(1_770_000_000)}
    items = [group, {**group, "errorCode": "malformed_json", "deviceId": None, "letters": 2}]
    stub.groups = {"items": items, "continuation": None, "letters": 20_000, "complete": False}
    page = open_page(stub.url + "#/deadletters")
    page.get_by_role("button", name="Groups").click()
    expect(page).to_have_url(re.compile("show=groups"))
    expect(page.get_by_role("row", name=re.compile("Battery out of range drone-1 31"))).to_be_visible()
    expect(page.get_by_text("Of the newest 20,000 dead letters; there are more.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Replay: "))).to_have_count(1)
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Replay: Battery out of range, drone-1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Only device drone-1")
    stub.answers["POST /api/deadletters/replay"] = (200, {"replayed": 1, "stillRejected": 0, "skipped": 0})
    dialog.get_by_role("button", name="Replay all").click()
    expect(dialog).to_contain_text("1 dead letter accepted and stored.")
    asked = next(path for path in stub.requests if path.startswith("/api/deadletters?") and "limit=1000" in path)
    assert "errorCode=battery_out_of_range" in asked
    assert "deviceId=drone-1" in asked
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Malformed JSON").click()
    expect(page).to_have_url(re.compile("errorCode=malformed_json"))
    expect(page.get_by_role("button", name="Letters")).to_have_attribute("aria-pressed", "true")


def test_many_are_replayed_in_portions_with_progress_until_somebody_stops_it(
    stub: StubApi, open_page: OpenPage
) -> None:
    stub.letters = [letter(number, b"{}", [TOO_FULL]) for number in range(100)]
    go_on = threading.Semaphore(2)

    def replayed(body: Any) -> tuple[int, Any]:
        go_on.acquire(timeout=20)
        return 200, {"replayed": len(body["ids"]) - 1, "stillRejected": 1, "skipped": 0}

    stub.answers["POST /api/deadletters/replay"] = replayed
    page = open_page(stub.url + "#/deadletters")
    page.get_by_role("button", name="Replay all open").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Replay all").click()
    expect(dialog).to_contain_text("40 of 100: 38 accepted, 2 still rejected")
    expect(dialog.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    assert accessibility_problems(page) == []
    dialog.get_by_role("button", name="Stop").click()
    expect(dialog.get_by_role("button", name="Stopping…")).to_be_disabled()
    go_on.release()
    expect(dialog).to_contain_text("57 dead letters accepted and stored.")
    expect(dialog).to_contain_text("Stopped: 40 dead letters not come to.")
    ids = [one for path, body in stub.changes if path.endswith("/replay") for one in body["ids"]]
    assert ids == [f"letter-{number}" for number in range(60)]


def test_all_are_discarded_with_one_reason(stub: StubApi, open_page: OpenPage) -> None:
    stub.letters = [letter(number, b"{}", [TOO_FULL]) for number in range(3)]
    for number in range(3):
        stub.answers[f"POST /api/deadletters/letter-{number}/discard"] = (409 if number == 1 else 200, {})
    page = open_page(stub.url + "#/deadletters?deviceId=drone-1")
    page.get_by_role("button", name="Discard all open").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("test drones")
    dialog.get_by_role("button", name="Discard all").click()
    expect(dialog).to_contain_text("2 dead letters discarded.")
    expect(dialog).to_contain_text("1 dead letter skipped: answered meanwhile.")
    wait_until(lambda: len(stub.changes) == 3, 10, lambda: str(stub.changes))
    assert {json.dumps(body) for _, body in stub.changes} == {'{"reason": "test drones"}'}
