"""The frame round every view: times and units as a person reads them, addresses, filters that an address says."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import OpenPage, accessibility_problems, listen
from tests.support.stub_api import StubApi, flight

pytestmark = pytest.mark.e2e

NOON = 1_780_000_000  # 2026-05-28 20:26:40 UTC, 22:26:40 in Berlin
MOMENT = r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d UTC"
"""The page leaves the date out of today's times; just after midnight some of these are yesterday's."""


def setting(page: Page, name: str) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name=name, exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_times_say_their_zone_and_are_read_in_utc_by_one_switch(stub: StubApi, open_page: OpenPage) -> None:
    stub.flights = [flight(1, NOON)]
    page = open_page(stub.url + "#/flights", timezone_id="Europe/Berlin")
    started = page.get_by_role("row", name=re.compile("drone-1")).get_by_role("link")
    expect(started).to_have_text("2026-05-28 22:26:40 UTC+2")
    expect(started.locator("time")).to_have_attribute("title", "2026-05-28 22:26:40 UTC+2 (2026-05-28T20:26:40.000Z)")
    setting(page, "UTC")
    expect(started).to_have_text("2026-05-28 20:26:40 UTC")
    page.reload()
    expect(started).to_have_text("2026-05-28 20:26:40 UTC")
    page.get_by_role("button", name=re.compile("Show times in local time")).click()
    expect(started).to_have_text("2026-05-28 22:26:40 UTC+2")


def test_a_range_is_typed_in_the_chosen_zone_and_asked_for_in_utc(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/flights", timezone_id="Europe/Berlin")
    page.get_by_label("Flown").select_option("range")
    page.get_by_label(re.compile(r"^From \(UTC\+\d\)")).fill("2026-05-28T22:00:00")
    expect(page).to_have_url(re.compile(r"#/flights\?last=range&from=2026-05-28T20%3A00%3A00Z$"))
    page.get_by_label(re.compile("^To")).fill("2026-05-28T21:00:00")
    expect(page.get_by_role("alert")).to_contain_text("later than")
    assert not any("to=" in path for path in stub.requests)
    page.get_by_label(re.compile("^To")).fill("2026-05-28T23:00:00")
    expect(page.get_by_role("alert")).to_have_count(0)
    with page.expect_request(re.compile(r"/api/flights\?from=2026-05-28T20%3A00%3A00Z&to=2026-05-28T21%3A00%3A00Z")):
        page.reload()


def test_measures_are_read_in_the_chosen_units_in_values_and_plots(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/fleet/drone-1")
    detail = page.get_by_role("complementary", name="Drone drone-1", exact=True)
    expect(detail.get_by_role("row", name="Ground speed")).to_contain_text("5.0 m/s")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Units").select_option(label="Aviation: ft, kn, NM")
    expect(detail.get_by_role("row", name="Ground speed")).to_contain_text("9.7 kn")
    expect(detail.get_by_role("row", name="From home")).to_contain_text("4,050 ft")
    expect(detail.locator("figure", has_text="Ground speed").locator(".plot-value")).to_have_text("9.7 kn")
    expect(detail.locator("figure", has_text="Altitude").locator(".plot-value")).to_have_text(re.compile(r"\d ft$"))
    page.get_by_label("Units").select_option(label="Metric: m, km/h")
    expect(detail.get_by_role("row", name="Ground speed")).to_contain_text("18.0 km/h")


def test_a_plots_cursor_says_its_time_and_nothing_where_there_is_no_data(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/fleet/drone-1", timezone_id="UTC")
    detail = page.get_by_role("complementary", name="Drone drone-1", exact=True)
    detail.get_by_role("button", name="1 h", exact=True).click()
    figure = detail.locator("figure", has_text="Battery")
    value = figure.locator(".plot-value")
    expect(value).to_have_text(re.compile(r"^\s*\d+ %$"))
    over = figure.locator(".u-over").bounding_box()
    assert over is not None
    page.mouse.move(over["x"] + 0.9 * over["width"], over["y"] + 20)
    expect(value).to_have_text(re.compile(rf"^{MOMENT}\s+\d+ %$"))
    # The stub's history is a quarter of an hour long: before that, nothing is known.
    page.mouse.move(over["x"] + 0.3 * over["width"], over["y"] + 20)
    expect(value).to_have_text(re.compile(rf"^{MOMENT}\s+–$"))


def test_the_fleets_filter_is_in_the_address_and_comes_back_with_the_view(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/fleet?text=courier+99&connectivity=online&sort=battery")
    expect(page.get_by_role("searchbox")).to_have_value("courier 99")
    expect(page.get_by_role("button", name=re.compile("Online"))).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(re.compile(r"^\d+ of 1,000 drones$"))).to_be_visible()
    page.get_by_role("searchbox").fill("courier 999")
    expect(page).to_have_url(re.compile(r"#/fleet\?text=courier\+999&connectivity=online&sort=battery$"))
    page.get_by_role("option", name=re.compile("drone-999")).click()
    expect(page).to_have_url(re.compile(r"#/fleet/drone-999\?text=courier\+999"))
    page.get_by_role("link", name="Pipeline").click()
    page.get_by_role("link", name="Fleet").click()
    expect(page.get_by_role("searchbox")).to_have_value("courier 999")
    # Typing made no steps in the history.
    page.go_back()
    page.go_back()
    expect(page).to_have_url(re.compile("#/fleet/drone-999"))


def test_an_address_that_is_none_is_said_to_be_none(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/flighst/x")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    expect(page.get_by_text("#/flighst/x")).to_be_visible()
    assert accessibility_problems(page) == []
    page.get_by_role("main").get_by_role("link", name="Flights").click()
    expect(page.get_by_role("heading", name="Flights")).to_be_visible()


def test_an_id_is_shown_whole_and_copied_with_one_click(stub: StubApi, open_page: OpenPage) -> None:
    stub.flights = [flight(1, time.time() - 900)]
    page = open_page(f"{stub.url}#/flights/{stub.flights[0]['id']}", permissions=["clipboard-read", "clipboard-write"])
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text(stub.flights[0]["id"])
    copied = listen(page, "Copied")
    panel.get_by_role("button", name="Copy the flight's id").click()
    copied()
    assert page.evaluate("navigator.clipboard.readText()") == stub.flights[0]["id"]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_settings_have_no_accessibility_problems(stub: StubApi, open_page: OpenPage, scheme: str) -> None:
    page = open_page(stub.url + "#/flights", color_scheme=scheme)
    page.get_by_role("button", name="Settings").click()
    assert accessibility_problems(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Settings")).to_be_focused()
