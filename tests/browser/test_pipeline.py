"""The pipeline's last hour, and that nothing is said to be well which is not known to be."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.support.chromium import OpenPage, accessibility_problems, painted
from tests.support.stub_api import Json, StubApi, stamp
from tools.local_host import wait_until

pytestmark = pytest.mark.e2e


def sample(ago: float, messages: int, unfinished: int) -> Json:
    at = time.time() - ago
    counts = {"messages": messages, "stored": messages, "duplicates": 0, "rejected": 0}
    waiting = {"unfinished": unfinished, "failed": 0, "unprocessed": unfinished, "oldestUnprocessedAt": stamp(at - 9)}
    return {"at": stamp(at), **counts, **waiting}


def test_the_hour_before_is_there_from_the_start_and_after_a_reload(stub: StubApi, open_page: OpenPage) -> None:
    stub.past = [sample(second, 100 * (3600 - second), second % 7) for second in range(3590, 0, -5)]
    stub.in_the_hub = 1234
    stub.held = {"batches": 7, "since": stamp(time.time() - 300)}
    page = open_page(stub.url + "#/pipeline")
    for again in (False, True):
        if again:
            page.reload()
        for name in ("Messages per second", "Batches in flight", "Lag, seconds"):
            plot = page.locator("figure", has_text=name)
            expect(plot.locator(".plot-value")).to_have_text(re.compile(r"\d"))
        wait_until(lambda: painted(page, ".panels.three canvas") > 3000, 30, lambda: "the plot is empty")
    assert stub.asked("/api/stats/history") == 2, "once for each time that the page is opened"
    expect(page.locator(".figure", has_text="In the hub").locator("strong")).to_have_text("1,234")
    expect(page.locator(".figure", has_text="In flight")).to_contain_text("7 completed that have not told their drones")
    page.get_by_role("button", name="15 min").click()
    expect(page.get_by_role("button", name="15 min")).to_have_attribute("aria-pressed", "true")
    assert accessibility_problems(page) == []


def test_the_part_that_is_down_is_named_though_the_answer_is_an_error(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("503")
    stub.health["store"] = {"status": "unhealthy", "detail": "store: the disk is full"}
    page = open_page(stub.url + "#/pipeline")
    health = page.get_by_role("region", name="Health")
    expect(health.get_by_role("listitem").filter(has_text="Store")).to_contain_text("the disk is full")
    expect(health.get_by_role("listitem").filter(has_text="Store")).to_contain_text("Down")
    expect(health.get_by_role("listitem").filter(has_text="Durable")).to_contain_text("OK")


def test_nothing_is_said_to_be_well_once_nobody_answers(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("500")
    for batch in stub.batches:
        batch["status"] = "completed"
    page = open_page(stub.url + "#/pipeline")
    expect(page.get_by_text("Balanced")).to_be_visible()
    health = page.get_by_role("region", name="Health")
    expect(health.get_by_text("OK", exact=True).first).to_be_visible()
    stub.refuse = lambda path: 500 if path in ("/api/stats", "/api/health", "/api/recovery") else None
    expect(page.get_by_text("As last counted")).to_be_visible()
    expect(page.get_by_text("Balanced")).to_have_count(0)
    expect(health.get_by_text("Not known").first).to_be_visible()
    expect(health.get_by_text("OK", exact=True)).to_have_count(0)
    expect(page.locator(".figure", has_text="In the hub")).to_contain_text("the hub does not answer")
