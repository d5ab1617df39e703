"""Alerts: the list, one alert, taking it up, and being told of new ones."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_alerts import alert
from tests.support.stub_api import StubApi

pytestmark = pytest.mark.e2e

MARKUP = "<img src=x onerror=\"document.title='broken'\">"


@pytest.fixture
def alerts(stub: StubApi) -> StubApi:
    stub.alerts.items = [
        alert(5),
        alert(23, "no_fly_zone", ["airport"], 300, undelivered=["drone.alert.raised", "drone.alert.escalated"]),
        alert(28, "altitude_limit", 131.5, 600),
        alert(5, "low_battery", 0.1, 9000, status="cleared", clearedAt="2026-01-01T00:00:00Z"),
    ]
    return stub


def test_the_list_says_kind_since_when_drone_and_value(alerts: StubApi, open_page: OpenPage) -> None:
    page = open_page(alerts.url + "#/alerts", timezone_id="UTC")
    expect(page.get_by_role("row")).to_have_count(4)  # three active ones and the heading
    low = page.get_by_role("row", name=re.compile("drone-5"))
    expect(low).to_contain_text("Low battery")
    expect(low).to_contain_text("12 %")
    expect(low.get_by_role("link")).to_have_text(re.compile(r"\d\d:\d\d:\d\d UTC"))
    expect(low.locator("svg.kind")).to_be_visible()
    # Zones by their names, heights in the chosen units.
    expect(page.get_by_role("row", name=re.compile("drone-23"))).to_contain_text("Airport")
    expect(page.get_by_role("row", name=re.compile("drone-23"))).to_contain_text("2 undelivered")
    expect(page.get_by_role("row", name=re.compile("drone-28"))).to_contain_text("132 m")
    expect(page.get_by_role("link", name=re.compile("^Alerts"))).to_contain_text("3 active and not acknowledged")


def test_filters_are_in_the_address(alerts: StubApi, open_page: OpenPage) -> None:
    page = open_page(alerts.url + "#/alerts?status=any&code=low_battery")
    expect(page.get_by_role("row", name=re.compile("drone-5"))).to_have_count(2)
    page.get_by_label("State").select_option("cleared")
    expect(page).to_have_url(re.compile("status=cleared&code=low_battery$"))
    expect(page.get_by_role("row", name=re.compile("drone-5"))).to_contain_text("Cleared")
    page.get_by_label("Kind").select_option("telemetry_delayed")
    expect(page.get_by_text("No alert matches.")).to_be_visible()


def test_an_alert_is_acknowledged_with_a_note(alerts: StubApi, open_page: OpenPage) -> None:
    alerts.alerts.by = "Ann"
    page = open_page(alerts.url + "#/alerts")
    page.get_by_role("row", name=re.compile("drone-28")).get_by_role("link").click()
    panel = page.get_by_role("complementary")
    expect(panel.get_by_role("heading", name="Above altitude limit")).to_be_visible()
    panel.get_by_role("button", name="Acknowledge").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill("Cleared with the tower")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_contain_text("Acknowledged by Ann.")
    dialog.get_by_role("button", name="Close").click()
    expect(panel).to_contain_text("Cleared with the tower")
    expect(panel.get_by_role("region", name="What became of it")).to_contain_text("Acknowledged by Ann")
    expect(panel.get_by_role("button", name="Acknowledge")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("link", name=re.compile("^Alerts"))).to_contain_text("2 active and not acknowledged")
    [(asked, body)] = alerts.changes
    assert asked.endswith("/acknowledge")
    assert body == {"note": "Cleared with the tower"}


def test_a_note_may_be_left_out(alerts: StubApi, open_page: OpenPage) -> None:
    page = open_page(f"{alerts.url}#/alerts/{alerts.alerts.items[0]['id']}")
    page.get_by_role("complementary").get_by_role("button", name="Acknowledge").click()
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("dialog")).to_contain_text("Acknowledged.")
    assert alerts.changes[0][1] == {"note": None}


def test_notices_that_were_given_up_are_sent_again(alerts: StubApi, open_page: OpenPage) -> None:
    page = open_page(f"{alerts.url}#/alerts/{alerts.alerts.items[1]['id']}")
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("Not every receiver got: Raised, Escalated.")
    panel.get_by_role("button", name="Notify again").click()
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    expect(page.get_by_role("dialog")).to_contain_text("on their way")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(panel).not_to_contain_text("Not every receiver")


def test_an_alert_leads_to_its_drone_its_flight_and_its_history(alerts: StubApi, open_page: OpenPage) -> None:
    page = open_page(f"{alerts.url}#/alerts/{alerts.alerts.items[0]['id']}")
    panel = page.get_by_role("complementary")
    expect(panel.get_by_role("link", name="drone-5")).to_have_attribute("href", "#/fleet/drone-5")
    expect(panel.get_by_role("link", name="Its flight")).to_have_attribute("href", "#/flights/drone-5~flight")
    orchestration = f"#/instances/{alerts.alerts.items[0]['instanceId']}"
    expect(panel.get_by_role("link", name="Its orchestration")).to_have_attribute("href", orchestration)
    others = panel.get_by_role("region", name="Other alerts of this drone")
    expect(others.get_by_role("listitem")).to_have_count(1)
    others.get_by_role("link").click()
    expect(panel).to_contain_text("Cleared")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_nothing_in_an_alert_becomes_markup(stub: StubApi, open_page: OpenPage) -> None:
    stub.alerts.items = [
        alert(1, "no_fly_zone", [MARKUP], note=MARKUP, acknowledgedBy=MARKUP, acknowledgedAt="2026-01-01T00:00:00Z")
        | {"deviceId": MARKUP}
    ]
    page = open_page(f"{stub.url}#/alerts/{stub.alerts.items[0]['id']}")
    expect(page.get_by_role("complementary")).to_contain_text(MARKUP)
    assert page.locator("main img").count() == 0


SPY = """
window.told = [];
window.Notification = class {
  static permission = 'default';
  static requestPermission() { return Promise.resolve((window.Notification.permission = window.answer)); }
  constructor(title, options) { window.told.push([title, options.tag]); }
};
window.chimes = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.chimes += 1; return start.apply(this, when); };
"""


def test_a_new_alert_is_told_only_to_who_asked_for_it(alerts: StubApi, open_page: OpenPage) -> None:
    page = open_page(alerts.url + "#/pipeline")
    page.context.add_init_script(SPY + "window.answer = 'granted';")
    page.reload()
    badge = page.get_by_role("link", name=re.compile("^Alerts"))
    expect(badge).to_contain_text("3 active")
    alerts.alerts.items.append(alert(30, ago=1))
    expect(badge).to_contain_text("4 active")
    assert page.evaluate("[window.told.length, window.chimes]") == [0, 0]

    page.get_by_role("button", name="Settings").click()
    page.get_by_role("group", name="Sound on a new alert").get_by_role("button", name="On").click()
    assert page.evaluate("window.chimes") == 2  # so that one hears what it will be
    page.get_by_role("group", name="Notification of a new alert").get_by_role("button", name="On").click()
    alerts.alerts.items.append(alert(31, ago=1))
    expect(badge).to_contain_text("5 active")
    page.wait_for_function("window.told.length > 0")
    assert page.evaluate("window.told") == [["Low battery: drone-31", alerts.alerts.items[-1]["id"]]]
    assert page.evaluate("window.chimes") == 4


def test_a_browser_that_lets_no_page_notify_is_said_to(alerts: StubApi, open_page: OpenPage) -> None:
    page = open_page(alerts.url + "#/pipeline")
    page.context.add_init_script(SPY + "window.answer = 'denied';")
    page.reload()
    page.get_by_role("button", name="Settings").click()
    group = page.get_by_role("group", name="Notification of a new alert")
    group.get_by_role("button", name="On").click()
    expect(page.get_by_role("alert")).to_contain_text("does not let this page notify you")
    expect(group.get_by_role("button", name="Off")).to_have_attribute("aria-pressed", "true")


def test_who_may_not_operate_is_told_why_the_button_does_nothing(alerts: StubApi, open_page: OpenPage) -> None:
    alerts.config["authMode"] = "app-service"
    alerts.me = {"signedIn": True, "name": "Ann", "roles": ["GetStatus"]}
    page = open_page(f"{alerts.url}#/alerts/{alerts.alerts.items[0]['id']}")
    button = page.get_by_role("complementary").get_by_role("button", name="Acknowledge")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_accessible_description("This needs the role Operate, which your account does not have.")
    button.focus()
    page.keyboard.press("Enter")
    button.click(force=True)  # as a person does who does not see that it is off
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_without_alerts_in_the_api_the_rest_works(stub: StubApi, open_page: OpenPage, watch_console: list[str]) -> None:
    watch_console.append("404")
    stub.refuse = lambda path: 404 if path.startswith("/api/alerts") else None
    page = open_page(stub.url + "#/alerts")
    expect(page.get_by_role("alert")).to_contain_text("404")
    page.get_by_role("link", name="Fleet").click()
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_alerts_have_no_accessibility_problems(alerts: StubApi, open_page: OpenPage, scheme: str) -> None:
    page = open_page(f"{alerts.url}#/alerts/{alerts.alerts.items[1]['id']}", color_scheme=scheme)
    expect(page.get_by_role("complementary")).to_contain_text("Airport")
    assert accessibility_problems(page) == []


def test_the_kind_is_on_the_map_and_in_the_fleets_list(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/fleet?text=courier+41")
    signs = page.get_by_role("option", name=re.compile("^drone-41 .*Low battery")).locator("svg.kind path")
    path = signs.first.get_attribute("d")
    page.get_by_role("option", name=re.compile("^drone-41 ")).click()
    expect(page.get_by_role("complementary").locator("svg.kind path").first).to_have_attribute("d", path or "")
