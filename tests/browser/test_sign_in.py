"""Signing in and out, and what a person may: shown only where the app asks people to sign in."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_api import StubApi

pytestmark = pytest.mark.e2e

HERE = "%2F%23%2Fbatches%2Fbatch-2%3Fstatus%3Dfailed"


@pytest.mark.parametrize("status", [401, 302])
def test_who_has_not_signed_in_is_shown_the_way_and_comes_back_here(
    stub: StubApi, open_page: OpenPage, watch_console: list[str], status: int
) -> None:
    watch_console.append(str(status))
    stub.config["authMode"] = "app-service"
    stub.refuse = lambda path: status if path.startswith("/api/") and path != "/api/config" else None
    page = open_page(stub.url + "#/batches/batch-2?status=failed")
    way = f"/.auth/login/aad?post_login_redirect_uri={HERE}"
    link = page.get_by_role("main").get_by_role("link", name="Sign in").first
    expect(link).to_have_attribute("href", way)
    bar = page.get_by_role("banner").get_by_role("link", name="Sign in")
    expect(bar).to_have_attribute("href", way)
    # The link in the bar leads back to what is shown when it is used, not to what was shown when it was drawn.
    page.goto(stub.url + "#/pipeline")
    bar.focus()
    expect(bar).to_have_attribute("href", "/.auth/login/aad?post_login_redirect_uri=%2F%23%2Fpipeline")
    assert not any("/.auth/" in path for path in stub.requests)
    assert accessibility_problems(page) == []
    stub.refuse = lambda path: None
    stub.me = {"signedIn": True, "name": "Ann", "roles": ["GetStatus", "Operate"]}
    page.reload()
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)


def test_people_see_who_they_are_and_what_they_may(stub: StubApi, open_page: OpenPage) -> None:
    stub.config["authMode"] = "app-service"
    stub.me = {"signedIn": True, "name": "<b>Ann</b>", "roles": ["GetStatus"]}
    page = open_page(stub.url + "#/fleet")
    page.get_by_role("button", name="Account").click()
    menu = page.get_by_role("group", name="Account")
    expect(menu).to_contain_text("Signed in as <b>Ann</b>")
    rights = menu.get_by_role("list", name="What you may").get_by_role("listitem")
    expect(rights.filter(has_text="GetStatus")).to_contain_text("You may see drones")
    expect(rights.filter(has_text=re.compile("Operate$"))).to_contain_text("You may not")
    expect(menu.get_by_role("link", name="Sign out")).to_have_attribute(
        "href", "/.auth/logout?post_logout_redirect_uri=%2F"
    )
    assert accessibility_problems(page) == []


def test_nothing_of_it_is_shown_where_nobody_has_to_sign_in(stub: StubApi, open_page: OpenPage) -> None:
    stub.config["authMode"] = "none"
    page = open_page(stub.url + "#/fleet")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    expect(page.get_by_role("button", name="Account")).to_have_count(0)
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
    assert stub.asked("/api/me") == 0


def test_a_401_without_authentication_shows_no_way_that_leads_nowhere(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("401")
    stub.config["authMode"] = "none"
    stub.refuse = lambda path: 401 if path == "/api/flights" else None
    page = open_page(stub.url + "#/flights")
    expect(page.get_by_role("alert")).to_contain_text("not signed in (401)")
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
