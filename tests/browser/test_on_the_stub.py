"""What the real pipeline cannot be made to show at will: a thousand moving drones, hostile names, refused callers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.chromium import OpenPage, accessibility_problems, fingerprint
from tests.support.stub_api import Fleet, StubApi, letter
from tools.local_host import wait_until

pytestmark = pytest.mark.e2e

MARKUP = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"


def rows(page: Page, name: str = "") -> Locator:
    """Rows of the list of drones: the choices of a select are options too."""
    return page.get_by_role("listbox", name="Drones").get_by_role("option", name=re.compile(name))


def test_a_thousand_moving_drones_leave_the_page_usable(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url)
    expect(page.get_by_text("1,000 drones", exact=True)).to_be_visible()
    expect(rows(page).first).to_be_visible()
    # Only the rows in sight exist, whatever the fleet's size.
    assert rows(page).count() < 60
    before = fingerprint(page)
    wait_until(lambda: fingerprint(page) != before, 10, lambda: "nothing moves")
    page.get_by_role("searchbox").fill("courier 999")
    expect(page.get_by_text("1 of 1,000 drones", exact=True)).to_be_visible()


def test_the_list_is_used_with_the_keyboard_alone(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url)
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_role("listbox", name="Drones").focus()
    for key in ("ArrowDown", "ArrowDown", "PageDown", "Home", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("complementary", name="Drone drone-1", exact=True)).to_be_visible()
    expect(rows(page, "^drone-1 ")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(rows(page, "^drone-999 ")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)


def test_nothing_in_an_answer_becomes_markup(stub: StubApi, open_page: OpenPage) -> None:
    stub.fleet = Fleet(3, registrations={number: {"name": MARKUP, "owner": MARKUP} for number in range(3)})
    stub.letters = [letter(1, MARKUP.encode(), [{"code": MARKUP, "field": MARKUP, "value": MARKUP, "detail": MARKUP}])]
    stub.batches[2] |= {"error": MARKUP, "stage": MARKUP, "statusQueryGetUri": "javascript:document.title='broken'"}
    page = open_page(stub.url + "#/fleet/drone-1")
    expect(page.get_by_role("complementary")).to_contain_text(MARKUP)
    page.goto(stub.url + "#/deadletters/letter-1")
    expect(page.get_by_label("Body as Text")).to_contain_text(MARKUP)
    page.goto(stub.url + "#/batches/batch-2")
    expect(page.get_by_role("complementary")).to_contain_text(MARKUP)
    expect(page.get_by_role("link", name="Durable status")).to_have_attribute("href", "#")
    assert page.title() == "Drone Telemetry"
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize(
    ("status", "words"),
    # 302: App Service shows the way to the sign-in page; the page must not go there by itself.
    [(401, "not signed in (401)"), (403, "may not see or do this (403)"), (302, "not signed in (401)")],
)
def test_a_refused_caller_is_told_so(
    stub: StubApi, open_page: OpenPage, watch_console: list[str], status: int, words: str
) -> None:
    watch_console.append(str(status))
    stub.refuse = lambda path: status if path.startswith("/api/") and path != "/api/config" else None
    page = open_page(stub.url)
    expect(page.get_by_role("status").filter(has_text="No access")).to_be_visible()
    for view in ("fleet", "flights", "pipeline", "batches", "deadletters", "instances"):
        page.goto(f"{stub.url}#/{view}")
        expect(page.get_by_role("alert").first).to_contain_text(words)
    assert not any("/.auth/" in path for path in stub.requests)


def test_an_operator_without_the_drones_role_still_sees_the_pipeline(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("403")
    stub.refuse = lambda path: 403 if path.startswith("/api/drones") else None
    page = open_page(stub.url + "#/pipeline")
    expect(page.get_by_text("not processed yet")).to_be_visible()
    expect(page.get_by_text("Balanced")).to_have_count(0)


def test_a_narrow_screen_shows_one_thing_at_a_time(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url, viewport={"width": 390, "height": 800}, color_scheme="light")
    expect(page.get_by_role("application")).to_be_visible()
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.get_by_role("button", name="List").click()
    rows(page, "^drone-2 ").click()
    heading = page.get_by_role("heading", name="drone-2", exact=True)
    expect(heading).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert accessibility_problems(page) == []
    page.keyboard.press("Escape")
    expect(heading).to_have_count(0)
    expect(page.get_by_role("listbox")).to_be_visible()


def test_the_theme_is_the_systems_until_a_person_chooses(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url, color_scheme="light")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Light theme").click()
    expect(root).to_have_attribute("data-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")


def test_the_next_question_is_for_changes_only(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url)
    expect(rows(page).first).to_be_visible()
    wait_until(lambda: any("changedSince=" in path for path in stub.requests), 10, lambda: str(stub.requests))
    first = next(path for path in stub.requests if path.startswith("/api/drones?"))
    assert "changedSince" not in first
    assert "fields=position" in first


def test_base_map_tiles_are_drawn_where_a_setting_names_them(stub: StubApi, open_page: OpenPage) -> None:
    stub.config["mapTilesUrl"] = stub.url + "tiles/{z}/{x}/{y}.png"
    page = open_page(stub.url)
    expect(page.locator(".map .base-tiles")).to_be_attached()
    wait_until(lambda: any(path.startswith("/tiles/") for path in stub.requests), 10, lambda: str(stub.requests))


def test_a_tab_that_nobody_looks_at_asks_seldom(stub: StubApi, browser: Browser) -> None:
    context = browser.new_context()
    context.add_init_script(
        "window.looked = false; Object.defineProperty(document, 'hidden', { get: () => !window.looked })"
    )
    page = context.new_page()
    page.clock.install()
    page.goto(stub.url)
    expect(page.get_by_text("1,000 drones", exact=True)).to_be_visible()
    asked = stub.asked("/api/drones?")
    page.clock.fast_forward(20_000)  # ten times as long as the pause when somebody looks
    page.evaluate("fetch('/api/config').then(answer => answer.text())")  # what was asked before it has arrived too
    assert stub.asked("/api/drones?") == asked
    page.clock.fast_forward(15_000)
    wait_until(lambda: stub.asked("/api/drones?") == asked + 1, 10, lambda: str(stub.requests))
    page.evaluate("window.looked = true; document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(lambda: stub.asked("/api/drones?") > asked + 1, 10, lambda: str(stub.requests))
    context.close()
