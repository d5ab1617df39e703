"""Lists that stand still while they are used, the steps of a batch, and orchestrations that are steered by hand."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_api import StubApi, batch, instance, stamp
from tools.local_host import wait_until

pytestmark = pytest.mark.e2e

POLL_MS = 5000  # web/src/state/pagedList.ts


def first_row(page: Page) -> str:
    return page.locator("tbody tr").first.inner_text()


def newer(stub: StubApi, number: int) -> None:
    stub.batches.insert(0, batch(number, "completed") | {"partition": "newer", "receivedAt": stamp(2_000_000_000)})


def test_a_list_stands_still_under_the_pointer_and_says_what_is_new(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/batches")
    row = page.locator("tbody tr").first
    expect(row).to_be_visible()
    row.hover()
    before = first_row(page)
    newer(stub, 100)
    newer(stub, 101)
    stub.batches[2] |= {"status": "failed", "stage": "store", "error": "the disk is full"}
    pill = page.get_by_role("button", name="2 new")
    expect(pill).to_be_visible()
    # The row that was first is still, and says what has become of it meanwhile.
    expect(row).to_contain_text("the disk is full")
    assert before.split()[0] == first_row(page).split()[0]
    assert page.get_by_role("cell", name="newer").count() == 0
    pill.click()
    expect(page.get_by_role("cell", name="newer")).to_have_count(2)
    expect(pill).to_have_count(0)
    # Somebody who leaves sees at once what has come.
    newer(stub, 102)
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    page.mouse.move(5, 5)
    expect(page.get_by_role("cell", name="newer")).to_have_count(3)


def test_a_list_stands_still_under_the_keyboard(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/batches")
    expect(page.locator("tbody tr").first).to_be_visible()
    page.mouse.move(5, 5)
    page.get_by_role("textbox", name="Partition").focus()
    while page.evaluate("document.activeElement.closest('tbody') === null"):
        page.keyboard.press("Tab")
    newer(stub, 100)
    pill = page.get_by_role("button", name="1 new")
    expect(pill).to_be_visible()
    while page.evaluate("!document.activeElement.classList.contains('waiting-pill')"):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name="newer")).to_have_count(1)
    expect(page.get_by_role("region", name="Table")).to_be_focused()


def test_batches_are_narrowed_to_a_stretch_of_time(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/batches?last=1h", timezone_id="Asia/Tokyo")
    expect(page.locator("tbody tr").first).to_be_visible()
    asked = next(path for path in stub.requests if path.startswith("/api/batches?"))
    assert re.search(r"from=20\d\d-\d\d-\d\dT\d\d%3A\d\d%3A\d\d", asked)
    page.get_by_role("combobox", name="Received").select_option("range")
    page.get_by_label(re.compile("^From")).fill("2026-01-02T09:00:00")
    page.get_by_label(re.compile("^To")).fill("2026-01-02T10:00:00")
    expect(page).to_have_url(re.compile("to=2026-01-02T01%3A00%3A00Z"))
    page.get_by_label(re.compile("^To")).fill("2026-01-02T08:00:00")
    expect(page.get_by_role("alert")).to_contain_text("must be later")
    expect(page).to_have_url(re.compile("to=2026-01-02T01%3A00%3A00Z"))


def test_a_batchs_steps_are_a_timeline_with_attempts_and_the_rest_to_come(stub: StubApi, open_page: OpenPage) -> None:
    stub.batches[0] |= {"status": "running", "stage": "update_drones", "attempts": 2}
    stub.instances = [instance(0, "Running")]
    page = open_page(stub.url + "#/batches/batch-0")
    steps = page.get_by_role("list", name="Steps").locator("> li")
    expect(steps).to_have_count(2)
    expect(steps.nth(0)).to_contain_text("Store, done")
    expect(steps.nth(0)).to_contain_text("2 attempts")
    expect(steps.nth(0)).to_contain_text("disk on fire")
    expect(steps.nth(1)).to_have_attribute("aria-current", "step")
    expect(steps.nth(1)).to_contain_text(re.compile("Update drones, under way.* so far"))
    page.get_by_text("Raw history").click()
    expect(page.get_by_label("Raw history")).to_contain_text('"EventType": "TaskScheduled"')
    page.get_by_role("button", name="Attempt 1").click()
    expect(page.get_by_role("button", name="Attempt 1")).to_have_attribute("aria-pressed", "true")
    wait_until(lambda: any("attempt=1" in path for path in stub.requests), 10, lambda: str(stub.requests))
    assert accessibility_problems(page) == []


def test_the_steps_to_come_are_there_from_the_start(stub: StubApi, open_page: OpenPage) -> None:
    stub.batches[0] |= {"status": "running", "stage": "store"}
    scheduled = {"EventType": "TaskScheduled", "Timestamp": stamp(time.time()), "Name": "store_messages"}
    stub.instances = [{**instance(0, "Running"), "history": [scheduled]}]
    page = open_page(stub.url + "#/batches/batch-0")
    steps = page.get_by_role("list", name="Steps").locator("> li")
    expect(steps).to_have_count(2)
    expect(steps.nth(0)).to_contain_text("Store, under way")
    expect(steps.nth(1)).to_contain_text("Update drones, to do")


def test_a_batch_without_a_history_shows_how_far_it_is(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/batches/batch-2")
    stages = page.get_by_role("list", name="Stages").get_by_role("listitem")
    expect(stages).to_have_count(2)
    expect(stages.nth(0)).to_contain_text("Store, failed")
    expect(page.get_by_text("has no history of this attempt any more")).to_be_visible()


def test_orchestrations_are_found_and_steered(stub: StubApi, open_page: OpenPage, watch_console: list[str]) -> None:
    watch_console.append("409")
    stub.instances = [
        instance(1, "Running"),
        instance(2, "Failed", error="it broke"),
        instance(3, "Suspended", id="watch", name="alert_monitor", batchId=None),
    ]
    page = open_page(stub.url + "#/instances/watch?status=Running,Suspended")
    watch = page.get_by_role("complementary", name="Orchestration watch")
    watch.get_by_role("button", name="Terminate").click()
    expect(page.get_by_role("dialog")).to_contain_text("is started again by itself")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    watch.get_by_role("button", name="Close").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("combobox", name="Status").select_option("")
    expect(page.get_by_role("row", name=re.compile("it broke"))).to_be_visible()
    assert accessibility_problems(page) == []

    page.get_by_role("row", name=re.compile("batch-1~1")).get_by_role("link").click()
    panel = page.get_by_role("complementary", name="Orchestration batch-1~1")
    expect(panel.get_by_role("button", name="Purge")).to_have_count(0)
    dialog = page.get_by_role("dialog")
    panel.get_by_role("button", name="Suspend").click()
    expect(dialog).to_contain_text("no other attempt is made until it is resumed")
    dialog.get_by_role("button", name="Suspend").click()
    expect(dialog).to_contain_text("Say why.")
    dialog.get_by_label("Reason").fill("looking at it")
    stub.answers["POST /api/instances/batch-1~1/suspend"] = (202, {"id": "batch-1~1"})
    stub.instances[0]["status"] = "Suspended"
    dialog.get_by_role("button", name="Suspend").click()
    expect(dialog).to_contain_text("is being suspended")
    assert stub.changes == [("POST /api/instances/batch-1~1/suspend", {"reason": "looking at it"})]
    dialog.get_by_role("button", name="Close").click()
    expect(panel.get_by_role("button", name="Resume")).to_be_visible()

    # What the server does not allow any more is told in its words.
    stub.answers["POST /api/instances/batch-1~1/resume"] = (409, {"title": "No", "detail": "it is Completed"})
    panel.get_by_role("button", name="Resume").click()
    dialog.get_by_role("button", name="Resume").click()
    expect(dialog.get_by_role("alert")).to_contain_text("it is Completed")
    dialog.get_by_role("button", name="Close").click()

    page.get_by_role("row", name=re.compile("batch-2~1")).get_by_role("link").click()
    panel = page.get_by_role("complementary", name="Orchestration batch-2~1")

    def purged(_: Any) -> tuple[int, Any]:
        del stub.instances[1]
        return 204, None

    stub.answers["DELETE /api/instances/batch-2~1"] = purged
    panel.get_by_role("button", name="Purge").click()
    expect(dialog).to_contain_text("messages and its dead letters stay")
    assert accessibility_problems(page) == []
    dialog.get_by_role("button", name="Purge").click()
    expect(dialog).to_contain_text("It is gone.")
    dialog.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("it broke"))).to_have_count(0)
