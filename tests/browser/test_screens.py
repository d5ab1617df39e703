"""Other screens than a desk's: a wall, a phone upright and on its side; and a page whose server is away."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_alerts import alert
from tests.support.stub_api import StubApi, flight, letter

pytestmark = pytest.mark.e2e

UPRIGHT = {"width": 360, "height": 640}
ON_ITS_SIDE = {"width": 640, "height": 360}


def test_a_wall_display_turns_by_itself_and_has_nothing_to_click(stub: StubApi, open_page: OpenPage) -> None:
    stub.alerts.items = [alert(n, "no_fly_zone", ["airport"]) for n in range(10)]
    page = open_page(stub.url + "?display=wall&seconds=5", viewport={"width": 1920, "height": 1080})
    expect(page.get_by_role("heading", name="Fleet")).to_be_visible()
    expect(page.get_by_role("application")).to_be_visible()
    figures = page.locator(".wall-figures")
    expect(figures).to_contain_text(re.compile(r"Online\s*941"))
    expect(figures).to_contain_text(re.compile(r"Open alerts\s*10"))
    assert page.locator("button:visible, a:visible, input:visible, select:visible").count() == 0
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_count(8)
    expect(page.get_by_text("and 2 more")).to_be_visible()
    assert accessibility_problems(page) == []
    expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    expect(page.get_by_text("Failed batches")).to_be_visible()
    assert page.evaluate("[document.documentElement.scrollHeight, innerHeight]") == [1080, 1080]
    assert accessibility_problems(page) == []
    expect(page.get_by_role("heading", name="Fleet")).to_be_visible()
    page.keyboard.press("4")
    expect(page.get_by_role("heading", name="Fleet")).to_be_visible()


@pytest.mark.parametrize("seconds", ["0", "soon", "-1", "1e9"])
def test_a_pace_that_is_none_does_not_make_a_wall_flicker(stub: StubApi, open_page: OpenPage, seconds: str) -> None:
    page = open_page(f"{stub.url}?display=wall&seconds={seconds}")
    expect(page.get_by_role("application")).to_be_visible()
    page.wait_for_timeout(1500)
    expect(page.get_by_role("heading", name="Fleet")).to_be_visible()


def views(stub: StubApi) -> list[str]:
    stub.flights = [flight(1, time.time() - 800)]
    stub.letters = [letter(1, b"{}", [{"code": "missing_device_id", "field": None, "value": None, "detail": "none"}])]
    stub.alerts.items = [alert(5, note="a note " * 20)]
    flown, raised = stub.flights[0]["id"], stub.alerts.items[0]["id"]
    lists = ["fleet", "flights", "alerts", "zones", "pipeline", "batches", "deadletters", "instances"]
    return [*lists, "fleet/drone-2", f"flights/{flown}", f"alerts/{raised}", "batches/batch-2", "deadletters/letter-1"]


def beyond(page: Page) -> list[str]:
    """Controls that stand beyond the screen's edge and cannot be scrolled to."""
    script = """() => [...document.querySelectorAll("button, a, input, select")].filter((element) => {
      const box = element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2 || element.matches(".skip")) return false;
      for (let at = element.parentElement; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (/auto|scroll/.test(style.overflowX + style.overflowY) && at !== document.body) return false;
        if (style.clipPath !== "none") return false;
      }
      return box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1;
    }).map((element) => element.outerHTML.slice(0, 120))"""
    found: list[str] = page.evaluate(script)
    return found


@pytest.mark.parametrize("screen", [UPRIGHT, ON_ITS_SIDE], ids=["upright", "on its side"])
def test_a_phone_loses_nothing(stub: StubApi, open_page: OpenPage, screen: dict[str, int]) -> None:
    page = open_page(stub.url, viewport=screen)
    for view in views(stub):
        page.goto(f"{stub.url}#/{view}")
        expect(page.get_by_role("main")).to_be_visible()
        page.wait_for_timeout(400)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= screen["width"], view
        assert beyond(page) == [], view
        names = page.get_by_role("navigation", name="Views").get_by_role("link")
        assert [bool(link.is_visible()) for link in names.all()] == [True] * 8


def test_a_phone_on_its_side_shows_map_and_list_together(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url, viewport=ON_ITS_SIDE)
    expect(page.get_by_role("application")).to_be_visible()
    page.get_by_role("option", name=re.compile("^drone-1 ")).click()
    expect(page.get_by_role("heading", name="drone-1", exact=True)).to_be_visible()
    expect(page.get_by_role("application")).to_be_visible()


def test_what_is_old_is_grey_in_the_list_as_on_the_map(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("503")
    page = open_page(stub.url)
    page.get_by_role("listbox", name="Drones").wait_for()
    stub.refuse = lambda path: 503 if path.startswith("/api/drones") else None
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    for part in (".fleet-list", ".map-pane .drone-layer"):
        expect(page.locator(part)).to_have_css("filter", "grayscale(1)")
    assert accessibility_problems(page) == []
    stub.refuse = lambda path: None
    expect(page.locator(".fleet-list")).to_have_css("filter", "none")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_view_has_accessibility_problems(stub: StubApi, open_page: OpenPage, scheme: str) -> None:
    page = open_page(stub.url, color_scheme=scheme)
    found = {}
    for view in views(stub):
        page.goto(f"{stub.url}#/{view}")
        page.wait_for_timeout(600)
        found[view] = accessibility_problems(page)
    assert {view: problems for view, problems in found.items() if problems} == {}
