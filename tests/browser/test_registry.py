"""A drone's registration is changed in its panel: told at the field what is wrong, and never over somebody else's."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_api import Fleet, StubApi

pytestmark = pytest.mark.e2e

ENTRY: dict[str, Any] = {
    "id": "drone-1",
    "name": "Falcon",
    "model": "X4",
    "owner": "North",
    "home": {"latitude": 47.5, "longitude": -122.2},
    "serial": "A-77",
}


@pytest.fixture
def panel(stub: StubApi, open_page: OpenPage) -> Locator:
    stub.fleet = Fleet(3, registrations={1: ENTRY})
    stub.reference.registry["drone-1"] = dict(ENTRY)
    page = open_page(stub.url + "#/fleet/drone-1")
    return page.get_by_role("complementary", name="Drone drone-1")


def form(panel: Locator) -> Locator:
    return panel.get_by_role("form", name="Registration")


def press(locator: Locator) -> None:
    locator.focus()
    locator.press("Enter")


def test_a_registration_is_changed_by_the_keyboard_and_the_rest_of_it_stays(stub: StubApi, panel: Locator) -> None:
    press(panel.get_by_role("button", name="Edit the registration"))
    expect(form(panel).get_by_label("Name")).to_be_focused()
    assert accessibility_problems(panel.page) == []
    form(panel).get_by_label("Owner").fill("South")
    form(panel).get_by_label("Home altitude (m)").fill("488")
    form(panel).get_by_label("Owner").press("Enter")
    expect(form(panel)).to_have_count(0)
    expect(panel).to_contain_text("Falcon · X4 · South")
    home = {"latitude": 47.5, "longitude": -122.2, "altitude": 488, "altitudeReference": "msl"}
    assert stub.reference.registry["drone-1"] == {**ENTRY, "owner": "South", "home": home}


def test_what_is_wrong_is_told_at_its_field(stub: StubApi, panel: Locator) -> None:
    panel.get_by_role("button", name="Edit the registration").click()
    latitude = form(panel).get_by_label("Home latitude (°)")
    latitude.fill("95")
    expect(latitude).to_have_attribute("aria-invalid", "true")
    expect(form(panel)).to_contain_text("A number from -90 to 90.")
    expect(form(panel).get_by_role("button", name="Save")).to_be_disabled()
    latitude.press("Escape")
    expect(form(panel)).to_have_count(0)
    expect(panel).to_be_visible()
    assert stub.reference.registry["drone-1"] == ENTRY


def test_a_drone_is_registered_and_taken_out_again(stub: StubApi, panel: Locator, watch_console: list[str]) -> None:
    watch_console.append("404")
    del stub.reference.registry["drone-1"]
    stub.fleet.registrations[1] = None  # type: ignore[assignment]
    panel.page.reload()
    expect(panel).to_contain_text("Not in the registry")
    panel.get_by_role("button", name="Register this drone").click()
    form(panel).get_by_label("Name").fill("Kestrel")
    form(panel).get_by_role("button", name="Register").click()
    expect(panel).to_contain_text("Kestrel")
    assert stub.reference.registry["drone-1"]["name"] == "Kestrel"

    panel.get_by_role("button", name="Edit the registration").click()
    form(panel).get_by_role("button", name="Take out").click()
    dialog = panel.page.get_by_role("dialog", name="Take drone-1 out of the registry?")
    dialog.get_by_role("button", name="Take it out").click()
    expect(dialog).to_contain_text("no longer in the registry")
    dialog.get_by_role("button", name="Close").click()
    expect(panel).to_contain_text("Not in the registry")
    assert "drone-1" not in stub.reference.registry


def changed_meanwhile(stub: StubApi, panel: Locator) -> Locator:
    panel.get_by_role("button", name="Edit the registration").click()
    form(panel).get_by_label("Owner").fill("South")
    stub.reference.registry["drone-1"] = {**ENTRY, "owner": "West", "model": "X5"}
    form(panel).get_by_role("button", name="Save").click()
    told = form(panel).get_by_role("alert").filter(has_text="Somebody else has changed it meanwhile.")
    expect(told).to_contain_text("Owner: North → West")
    expect(told).to_contain_text("Model: X4 → X5")
    return told


def test_mine_goes_on_top_of_somebody_elses(stub: StubApi, panel: Locator, watch_console: list[str]) -> None:
    watch_console.append("412")
    told = changed_meanwhile(stub, panel)
    assert accessibility_problems(panel.page) == []
    told.get_by_role("button", name="Save mine on top").click()
    expect(form(panel)).to_have_count(0)
    assert stub.reference.registry["drone-1"] == {**ENTRY, "owner": "South", "model": "X5"}


def test_theirs_is_taken_instead(stub: StubApi, panel: Locator, watch_console: list[str]) -> None:
    watch_console.append("412")
    told = changed_meanwhile(stub, panel)
    told.get_by_role("button", name="Take theirs").click()
    expect(form(panel).get_by_label("Owner")).to_have_value("West")
    assert stub.reference.registry["drone-1"]["owner"] == "West"


def test_who_may_not_change_the_registry_is_told_so(stub: StubApi, panel: Locator, watch_console: list[str]) -> None:
    watch_console.append("403")
    panel.get_by_role("button", name="Edit the registration").click()
    form(panel).get_by_label("Owner").fill("South")
    stub.refuse = lambda path: 403 if path.startswith("/api/registry") else None
    form(panel).get_by_role("button", name="Save").click()
    expect(form(panel).get_by_role("alert")).to_contain_text("may not see or do this (403)")
    assert stub.reference.registry["drone-1"] == ENTRY


def test_the_form_fits_a_narrow_screen(stub: StubApi, panel: Locator) -> None:
    page: Page = panel.page
    page.set_viewport_size({"width": 360, "height": 640})
    panel.get_by_role("button", name="Edit the registration").click()
    expect(form(panel).get_by_role("button", name="Save")).to_be_visible()
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    assert accessibility_problems(page) == []
