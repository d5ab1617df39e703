"""Zones are edited: on the map, by the keyboard alone, against somebody else, and what is wrong is told where it is."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.canvas import northeast_of_colour
from tests.support.chromium import OpenPage, accessibility_problems
from tests.support.stub_api import Fleet, StubApi
from tests.support.stub_reference import square
from tools.local_host import wait_until

pytestmark = pytest.mark.e2e

MARKUP = "<img src=x onerror=\"document.title='broken'\">"


@pytest.fixture
def zones(stub: StubApi, open_page: OpenPage) -> Page:
    stub.fleet = Fleet(3)
    page = open_page(stub.url + "#/zones")
    expect(row(page, "Airport")).to_be_visible()
    page.wait_for_timeout(300)  # the map is fitted
    return page


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name="Zones").get_by_role("button", name=re.compile(name))


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("toolbar", name="Zones").get_by_role("button", name=name, exact=True)


def kept(stub: StubApi, zone: str) -> dict[str, Any]:
    found = [one for one in stub.reference.zones["features"] if one["properties"]["id"] == zone]
    assert len(found) == 1, stub.reference.zones
    return dict(found[0])


def saved(page: Page) -> None:
    button(page, "Save").click()
    expect(page.get_by_text("Saved. In force everywhere within ten seconds.")).to_be_attached()


def test_a_zone_is_drawn_corner_by_corner(stub: StubApi, zones: Page) -> None:
    button(zones, "Draw").click()
    expect(zones.get_by_text("Click for each corner")).to_be_visible()
    box = zones.get_by_role("application").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for right, down in ((-300, -150), (-300, 150), (-150, 150)):
        zones.mouse.click(x + right, y + down)
        zones.wait_for_timeout(300)  # two clicks at once would be a double click
    zones.mouse.dblclick(x - 150, y - 150)
    panel = zones.get_by_role("complementary")
    expect(panel.get_by_role("table")).to_contain_text("Border, 4 corners")
    panel.get_by_label("Name").fill("Harbour")
    panel.get_by_label("Ceiling (m)").fill("80")
    panel.get_by_label("Kind").select_option("geofence")
    expect(zones.get_by_text("Not saved yet")).to_be_visible()
    saved(zones)
    zone = kept(stub, "zone-1")
    assert zone["properties"] == {
        "id": "zone-1",
        "name": "Harbour",
        "kind": "geofence",
        "floor": None,
        "ceiling": 80,
    }
    ring = zone["geometry"]["coordinates"][0]
    assert len(ring) == 5
    assert ring[0] == ring[-1]
    expect(button(zones, "Save")).to_be_disabled()


def test_a_drawing_that_crosses_itself_is_told_while_it_is_drawn(zones: Page) -> None:
    button(zones, "Draw").click()
    box = zones.get_by_role("application").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for right, down in ((-200, -100), (200, 100), (200, -100)):
        zones.mouse.click(x + right, y + down)
        zones.wait_for_timeout(300)
    zones.mouse.move(x - 200, y + 100, steps=4)
    told = zones.get_by_role("status").filter(has_text="The border crosses itself: edges 1–2 and 3–4.")
    expect(told).to_be_visible()
    zones.keyboard.press("Backspace")
    zones.mouse.move(x - 100, y - 180, steps=4)
    expect(told).to_have_count(0)
    zones.keyboard.press("Escape")
    expect(button(zones, "Draw")).to_be_visible()
    expect(row(zones, "zone-1")).to_have_count(0)


def test_a_corner_is_dragged_and_put_back(stub: StubApi, zones: Page) -> None:
    row(zones, "City").click()
    panel = zones.get_by_role("complementary")
    corner = panel.get_by_label("Longitude of corner 3")
    before = float(corner.input_value())
    zones.wait_for_timeout(400)
    zones.get_by_role("button", name="Show the open zone").click()
    zones.wait_for_timeout(500)
    box = zones.get_by_role("application").bounding_box()
    assert box is not None
    # The north-east corner: where the zone is shown, it fills the map but for its margin.
    x, y = northeast_of_colour(zones, "--accent", ".ol-layers canvas:not(.drone-canvas)")
    at = (box["x"] + x - 4, box["y"] + y + 4)
    zones.mouse.move(*at)
    zones.mouse.down()
    zones.mouse.move(at[0] - 40, at[1] + 30, steps=5)
    zones.mouse.up()
    wait_until(lambda: float(corner.input_value()) < before, 5, lambda: corner.input_value())
    zones.keyboard.press("Control+z")
    wait_until(lambda: float(corner.input_value()) == before, 5, lambda: corner.input_value())
    zones.keyboard.press("Control+Shift+z")
    wait_until(lambda: float(corner.input_value()) < before, 5, lambda: corner.input_value())
    saved(zones)
    assert kept(stub, "city")["geometry"]["coordinates"][0][2][0] < before


def test_a_zone_is_made_by_the_keyboard_alone(stub: StubApi, zones: Page) -> None:
    press(zones, button(zones, "Square"))
    panel = zones.get_by_role("complementary")
    expect(panel.get_by_role("heading", name="zone-1")).to_be_focused()
    typed(zones, panel.get_by_label("Id", exact=True), "harbour")
    typed(zones, panel.get_by_label("Floor (m)"), "30")
    corners = ((47.0, -122.0), (47.0, -121.9), (47.1, -121.9), (47.1, -122.0))
    for at, (latitude, longitude) in enumerate(corners, 1):
        typed(zones, panel.get_by_label(f"Latitude of corner {at}"), str(latitude))
        typed(zones, panel.get_by_label(f"Longitude of corner {at}"), str(longitude))
    press(zones, panel.get_by_role("button", name="Add a corner after corner 1"))
    expect(panel.get_by_role("table")).to_contain_text("Border, 5 corners")
    typed(zones, panel.get_by_label("Latitude of corner 2"), "46.9")
    zones.keyboard.press("Control+s")
    wait_until(lambda: len(stub.reference.versions) == 2, 5, lambda: "not saved")
    zone = kept(stub, "harbour")
    assert zone["geometry"]["coordinates"][0] == [
        [-122.0, 47.0],
        [-121.95, 46.9],
        [-121.9, 47.0],
        [-121.9, 47.1],
        [-122.0, 47.1],
        [-122.0, 47.0],
    ]
    assert zone["properties"]["floor"] == 30
    press(zones, panel.get_by_role("button", name="Remove this zone"))
    expect(row(zones, "harbour")).to_have_count(0)
    zones.keyboard.press("Control+z")
    expect(row(zones, "harbour")).to_be_visible()


def press(page: Page, locator: Locator) -> None:
    locator.focus()
    page.keyboard.press("Enter")


def typed(page: Page, locator: Locator, text: str) -> None:
    locator.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Tab")


def test_what_is_wrong_is_told_at_the_corner_and_the_field_and_is_not_sent(stub: StubApi, zones: Page) -> None:
    row(zones, "Airport").click()
    panel = zones.get_by_role("complementary")
    south = panel.get_by_label("Latitude of corner 1")
    typed(zones, south, str(float(panel.get_by_label("Latitude of corner 3").input_value()) + 0.004))
    expect(panel.get_by_text("The border crosses itself: edges 1–2 and 3–4.")).to_be_visible()
    expect(south).to_have_attribute("aria-invalid", "true")
    floor, ceiling = panel.get_by_label("Floor (m)"), panel.get_by_label("Ceiling (m)")
    floor.fill("200")
    ceiling.fill("100")
    expect(floor).to_have_attribute("aria-invalid", "true")
    expect(panel.get_by_text("The floor, 200 m, is above the ceiling, 100 m.")).to_be_visible()
    panel.get_by_label("Id", exact=True).fill("city")
    expect(row(zones, "City").get_by_text("wrong")).to_be_attached()
    expect(zones.get_by_text("3 things wrong")).to_be_visible()
    expect(button(zones, "Save")).to_be_disabled()
    zones.keyboard.press("Control+s")
    for _ in range(4):
        button(zones, "Undo").click()
    expect(zones.get_by_text("things wrong")).to_have_count(0)
    expect(button(zones, "Undo")).to_be_disabled()
    assert stub.reference.versions == []


def test_what_only_the_server_finds_is_told_at_its_zone(stub: StubApi, zones: Page, watch_console: list[str]) -> None:
    watch_console.append("400")
    row(zones, "Airport").click()
    panel = zones.get_by_role("complementary")
    panel.get_by_label("Ceiling (m)").fill("500")
    stub.reference.also_wrong = [
        {"feature": 0, "id": "airport", "ring": None, "detail": "properties.ceiling: is above the airspace"},
        {"feature": 1, "id": "city", "ring": 0, "detail": "geometry.coordinates: the ring is odd"},
    ]
    button(zones, "Save").click()
    expect(panel.get_by_text("Is above the airspace.")).to_be_visible()
    expect(panel.get_by_label("Ceiling (m)")).to_have_attribute("aria-invalid", "true")
    row(zones, "City").click()
    expect(zones.get_by_role("complementary").get_by_text("The ring is odd.")).to_be_visible()
    # What is changed is another zone than the one that was refused.
    zones.get_by_role("complementary").get_by_label("Ceiling (m)").fill("90")
    row(zones, "Airport").click()
    panel.get_by_label("Ceiling (m)").fill("90")
    saved(zones)
    assert kept(stub, "airport")["properties"]["ceiling"] == 90


@pytest.mark.parametrize(
    ("way", "ceilings"),
    [
        ("Put both together", {"airport": 50, "city": 77, "harbour": 10}),
        ("Keep only mine", {"airport": 50, "city": 120}),
        ("Take theirs", {"airport": 60, "city": 77, "harbour": 10}),
    ],
)
def test_nobody_overwrites_somebody_else_unasked(
    stub: StubApi, zones: Page, watch_console: list[str], way: str, ceilings: dict[str, int]
) -> None:
    watch_console.append("412")
    row(zones, "Airport").click()
    zones.get_by_role("complementary").get_by_label("Ceiling (m)").fill("50")
    theirs = copy.deepcopy(stub.reference.zones)
    theirs["features"][0]["properties"]["ceiling"] = 60
    theirs["features"][1]["properties"]["ceiling"] = 77
    theirs["features"].append(square("harbour", "no_fly", 0.02, 10))
    stub.reference.save_zones(theirs)
    button(zones, "Save").click()
    told = zones.get_by_role("alert").filter(has_text="Somebody else has changed the zones meanwhile.")
    expect(told).to_contain_text("They added harbour; changed airport, city.")
    expect(told).to_contain_text("Both of you changed airport")
    assert accessibility_problems(zones) == []
    assert stub.reference.zones == theirs
    told.get_by_role("button", name=way).click()
    expect(told).to_have_count(0)
    if way != "Take theirs":
        saved(zones)
    shown = {one["properties"]["id"]: one["properties"]["ceiling"] for one in stub.reference.zones["features"]}
    assert shown == ceilings
    expect(button(zones, "Save")).to_be_disabled()


def test_an_earlier_version_is_looked_at_and_restored(stub: StubApi, zones: Page) -> None:
    row(zones, "Airport").click()
    zones.get_by_role("complementary").get_by_label("Ceiling (m)").fill("50")
    saved(zones)
    zones.get_by_text("Versions", exact=True).click()
    zones.get_by_role("button", name="Look at version 1").click()
    expect(zones.get_by_text("Not saved yet")).to_be_visible()
    button(zones, "Undo").click()
    expect(zones.get_by_text("Not saved yet")).to_have_count(0)
    zones.get_by_role("button", name="Restore version 1").click()
    dialog = zones.get_by_role("dialog", name="Restore version 1?")
    dialog.get_by_role("button", name="Restore").click()
    expect(dialog).to_contain_text("Version 1 is in force again.")
    dialog.get_by_role("button", name="Close").click()
    assert kept(stub, "airport")["properties"]["ceiling"] is None
    expect(zones.get_by_role("button", name="Restore version 2")).to_be_visible()
    expect(zones.get_by_role("complementary").get_by_label("Ceiling (m)")).to_have_value("")


def test_a_part_of_the_page_that_does_not_come_is_told_and_comes_with_the_page_loaded_again(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("503")
    stub.refuse = lambda path: 503 if path.startswith("/assets/zones-") else None
    page = open_page(stub.url + "#/zones")
    told = page.get_by_role("alert").filter(has_text="could not be loaded")
    expect(told).to_be_visible()
    stub.refuse = lambda path: None
    told.get_by_role("button", name="Try again").click()
    expect(row(page, "Airport")).to_be_visible()


def test_changes_outlive_another_view(stub: StubApi, zones: Page) -> None:
    row(zones, "Airport").click()
    zones.get_by_role("complementary").get_by_label("Name").fill("Field")
    zones.goto(stub.url + "#/pipeline")
    expect(zones.get_by_role("heading", name="Pipeline")).to_be_attached()
    zones.goto(stub.url + "#/zones")
    expect(row(zones, "Field")).to_be_visible()
    expect(button(zones, "Save")).to_be_enabled()


def test_who_may_not_change_zones_is_told_so(stub: StubApi, zones: Page, watch_console: list[str]) -> None:
    watch_console.append("403")
    row(zones, "Airport").click()
    zones.get_by_role("complementary").get_by_label("Name").fill("Field")
    stub.refuse = lambda path: 403 if path == "/api/zones" else None
    button(zones, "Save").click()
    expect(zones.get_by_role("alert")).to_contain_text("may not see or do this (403)")
    expect(row(zones, "Field")).to_be_visible()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_editor_has_no_accessibility_problem_and_runs_no_text(
    stub: StubApi, open_page: OpenPage, scheme: str, width: int
) -> None:
    stub.reference.zones["features"][0]["properties"]["name"] = MARKUP
    page = open_page(stub.url + "#/zones", color_scheme=scheme, viewport={"width": width, "height": 800})
    if width < 500:
        page.get_by_role("button", name="List").click()
    expect(row(page, "img src")).to_be_visible()
    assert accessibility_problems(page) == []
    row(page, "img src").click()
    expect(page.get_by_role("complementary").get_by_role("heading")).to_contain_text(MARKUP)
    assert accessibility_problems(page) == []
    assert page.title() == "Drone Telemetry"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
