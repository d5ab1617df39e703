"""What an operator does all day, by keyboard alone; the keys of the page; finding."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_alerts import alert
from tests.support.stub_api import StubApi, flight

pytestmark = pytest.mark.e2e

FOCUSED = """() => {
  const { activeElement: at } = document;
  return at ? `${at.tagName} ${at.getAttribute("aria-label") ?? ""} ${at.textContent.trim()}` : "";
}"""


def tab_to(page: Page, pattern: str, most: int = 60) -> None:
    """Presses Tab until the focus is on an element whose tag, label and text match."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        seen.append(str(page.evaluate(FOCUSED)))
        if re.search(pattern, seen[-1]):
            return
    raise AssertionError(f"no Tab leads to {pattern}: {seen}")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


@pytest.fixture
def no_mouse(open_page: OpenPage) -> OpenPage:
    """``open_page``, whose page writes an error to the console, which no test is forgiven, when a pointer is used."""

    def opened(url: str, **options: object) -> Page:
        page = open_page(url, **options)
        page.evaluate("addEventListener('pointerdown', () => console.error('a pointer was used'), true)")
        return page

    return opened


def test_an_alert_is_found_read_and_taken_up_by_keyboard_alone(stub: StubApi, no_mouse: OpenPage) -> None:
    stub.alerts.items = [alert(5), alert(23, "no_fly_zone", ["airport"], 300)]
    page = no_mouse(stub.url)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    press(page, "3")
    expect(page.get_by_role("heading", name="Alerts", level=1)).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("drone-23"))).to_be_visible()
    tab_to(page, r"^A .*UTC")
    tab_to(page, r"^A .*UTC", most=1)
    press(page, "Enter")
    panel = page.get_by_role("complementary")
    expect(panel.get_by_role("heading", name="In no-fly zone")).to_be_focused()
    tab_to(page, "^BUTTON .*Acknowledge$", most=5)
    press(page, "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Note")).to_be_focused()
    page.keyboard.type("On its way to the tower, u and 1 are letters here")
    press(page, "Enter")
    expect(dialog).to_contain_text("Acknowledged.")
    press(page, "Escape")
    expect(dialog).to_have_count(0)
    expect(panel).to_contain_text("u and 1 are letters here")
    press(page, "Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("heading", name="Alerts", level=1)).to_be_visible()


def test_a_failed_batch_is_replayed_by_keyboard_alone(stub: StubApi, no_mouse: OpenPage) -> None:
    stub.answers["POST /api/batches/batch-2/replay"] = (202, {"id": "batch-2~2", "statusQueryGetUri": "/status"})
    page = no_mouse(stub.url)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    press(page, "/")
    page.keyboard.type("batches")
    press(page, "Enter")
    row = page.get_by_role("row", name=re.compile("Failed"))
    expect(row).to_have_count(1)
    tab_to(page, "Status$|SELECT")
    press(page, "f")  # Failed: a select finds its option by the letter, and the page's own key does nothing
    expect(page).to_have_url(re.compile("status=failed"))
    expect(page.get_by_role("row")).to_have_count(2)
    tab_to(page, "^A .*UTC")
    press(page, "Enter")
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("disk I/O error")
    tab_to(page, "^BUTTON .*Replay$", most=10)
    press(page, "Enter")
    dialog = page.get_by_role("dialog", name="Replay this batch?")
    tab_to(page, "^BUTTON .*Replay$", most=4)
    stub.batches[2] |= {"status": "completed", "stored": 97, "duplicates": 2, "rejected": 1, "error": None}
    press(page, "Enter")
    expect(dialog).to_contain_text("Completed: 97 stored, 2 duplicates, 1 rejected.")
    assert [asked for asked, _ in stub.changes] == ["POST /api/batches/batch-2/replay"]
    press(page, "Escape")
    expect(dialog).to_have_count(0)


def test_a_flight_is_looked_at_again_by_keyboard_alone(stub: StubApi, no_mouse: OpenPage) -> None:
    stub.flights = [flight(1, time.time() - 800)]
    page = no_mouse(stub.url)
    press(page, "2")
    expect(page.get_by_role("row", name=re.compile("drone-1"))).to_be_visible()
    tab_to(page, "^A .*UTC")
    press(page, "Enter")
    slider = page.get_by_role("slider", name="Moment of the flight")
    expect(slider).to_be_visible()
    tab_to(page, "^INPUT Moment of the flight", most=20)
    before = slider.get_attribute("aria-valuetext")
    press(page, "Home")
    expect(slider).not_to_have_attribute("aria-valuetext", before or "")
    start = slider.get_attribute("aria-valuetext")
    press(page, "ArrowRight", "ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuetext", start or "")
    press(page, "Home")
    tab_to(page, "^BUTTON .*60×", most=5)
    press(page, "Enter")
    expect(slider).not_to_have_attribute("aria-valuetext", start or "")


def test_finding_leads_to_drones_and_to_what_has_an_id(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/pipeline")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    page.get_by_role("button", name="Find").click()
    box = page.get_by_role("combobox", name=re.compile("^Find"))
    expect(box).to_be_focused()
    box.fill("courier 999")
    expect(page.get_by_role("listbox", name="Found").get_by_role("option").first).to_contain_text("drone-999")
    assert accessibility_problems(page) == []
    press(page, "ArrowDown", "ArrowUp", "Enter")
    expect(page).to_have_url(re.compile("#/fleet/drone-999$"))
    press(page, "/")
    box.fill("drone-7~low_battery~abc")
    expect(page.get_by_role("option", name=re.compile("Alert"))).to_be_visible()
    box.fill("nothing of this name")
    expect(page.get_by_text("Nothing has this name.")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_keys_are_told_and_can_be_switched_off(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/flights")
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Times in UTC or local")
    assert accessibility_problems(page) == []
    dialog.get_by_role("button", name="Off").click()
    press(page, "Escape", "4")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="Flights", level=1)).to_be_visible()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_role("button", name="On").click()
    press(page, "Escape", "4")
    expect(page.get_by_role("heading", name="Zones", level=1)).to_be_attached()


def test_a_key_typed_into_a_field_is_a_letter(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/flights", timezone_id="Europe/Berlin")
    page.get_by_label("Drone").focus()
    page.keyboard.type("/u1?f")
    expect(page.get_by_label("Drone")).to_have_value("/u1?f")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Show times in UTC"))).to_be_visible()
