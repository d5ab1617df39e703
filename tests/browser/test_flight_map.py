"""A flight on the map: its colours, one cursor with slider and plots, the date line; a moment draws nothing anew."""

from __future__ import annotations

import math
import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.canvas import box_of_colour, kilometres, northeast_of_colour
from tests.support.chromium import OpenPage, accessibility_problems, listen
from tests.support.stub_api import Fleet, Json, StubApi, flight, stamp
from tests.support.stub_reference import HOME
from tools.local_host import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("arch")]

SECONDS = 600
TRACK = ".flight-map .flight-track canvas"
MARKER = ".flight-map .ol-overlay-container:has(.flight-here)"
ENDS = ("--accent", "--alert")
PHONE = {"width": 390, "height": 844}


class Arch(Fleet):
    """A drone that flies half a circle over north, highest in the middle, ever faster."""

    place: tuple[float, float] = HOME
    eastward = True

    def history(self, number: int, now: float, since: float) -> list[Json]:
        view = self.view(number, now)
        messages = []
        for second in range(SECONDS + 1):
            part = second / SECONDS
            angle = math.pi * (1 - part if self.eastward else part)
            position = {
                "latitude": self.place[0] + 0.02 * math.sin(angle),
                "longitude": (self.place[1] + 0.02 * math.cos(angle) + 180) % 360 - 180,
                "altitude": 100 * math.sin(angle),
            }
            messages.append(
                {key: view[key] for key in ("battery", "heading", "flightMode", "derived", "alerts")}
                | {
                    "id": f"{number}-{second}",
                    "deviceId": view["id"],
                    "time": stamp(since + second),
                    "timeSource": "device",
                    "flags": [],
                }
                | {"position": position, "groundSpeed": 20 * part, "keyFrame": False, "enqueuedAt": stamp(since)}
                | {"partition": "0", "sequenceNumber": second}
            )
        return messages


@pytest.fixture
def arch(stub: StubApi) -> Arch:
    stub.fleet = Arch(3)
    return stub.fleet


def flown(stub: StubApi) -> str:
    """The address of the flight."""
    stub.flights = [flight(1, time.time() - 800, SECONDS)]
    return f"{stub.url}#/flights/{stub.flights[0]['id']}"


def slider_of(page: Page) -> Locator:
    return page.get_by_role("slider", name="Moment of the flight")


def drawn(page: Page) -> None:
    """Until the track is there: its lowest stretch has the accent's colour, its highest that of alerts."""
    wait_until(lambda: all(box_of_colour(page, colour, TRACK) for colour in ENDS), 10, lambda: "no track")


def highest(page: Page) -> tuple[float, float]:
    """Where in the window something of the track's highest stretch is."""
    drawn(page)
    x, y = northeast_of_colour(page, "--alert", TRACK)
    box = page.locator(TRACK).bounding_box()
    assert box is not None
    return box["x"] + x, box["y"] + y


def test_a_flights_track_slider_and_plots_have_one_cursor_and_a_link_leads_to_it(
    stub: StubApi, open_page: OpenPage
) -> None:
    address = flown(stub)
    page = open_page(address, permissions=["clipboard-read", "clipboard-write"])
    slider = page.get_by_role("slider", name="Moment of the flight")
    expect(slider).to_be_visible()
    place, marks = page.locator(MARKER), page.locator(".plot-at")
    end, marked = place.get_attribute("style"), marks.first.get_attribute("style")
    page.locator(".u-over").first.hover(position={"x": 60, "y": 20})
    expect(place).not_to_have_attribute("style", end or "")
    expect(marks.first).not_to_have_attribute("style", marked or "")
    assert len({marks.nth(number).get_attribute("style") for number in range(3)}) == 1
    pointed = slider.get_attribute("aria-valuetext")
    page.mouse.down()
    page.mouse.up()
    page.get_by_role("heading", name="Flights").hover()
    expect(slider).to_have_attribute("aria-valuetext", pointed or "")
    page.get_by_role("combobox", name="Coloured by").select_option("speed")
    copied = listen(page, "Copied")
    page.get_by_role("button", name="Copy link").click()
    copied()
    shared = page.evaluate("navigator.clipboard.readText()")
    again = open_page(shared)
    expect(again.get_by_role("slider", name="Moment of the flight")).to_have_attribute("aria-valuetext", pointed or "")
    expect(again.get_by_role("combobox", name="Coloured by")).to_have_value("speed")
    expect(again).to_have_url(re.compile(r"\?colour=speed$"))


def test_a_track_lies_on_the_map_in_its_colours_whatever_the_theme(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(flown(stub), color_scheme="light")
    drawn(page)
    by_height = box_of_colour(page, "--alert", TRACK)
    page.get_by_role("combobox", name="Coloured by").select_option("speed")
    wait_until(lambda: box_of_colour(page, "--alert", TRACK) != by_height, 10, lambda: "still coloured by height")
    page.get_by_role("combobox", name="Coloured by").select_option("height")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    drawn(page)
    # The land, the zones and the words that say what is drawn are there as well.
    expect(page.locator(".flight-map .land canvas")).to_be_attached()
    assert box_of_colour(page, "--no-fly", ".flight-map .ol-layer canvas")
    expect(page.get_by_role("application")).to_have_accessible_description(
        re.compile(r"^[\d,]+ places, from 47\.\d+° N, 122\.\d+° W to .*; Height from [\d.]+ m to [\d.]+ m\.$")
    )
    assert accessibility_problems(page) == []


def test_pointing_at_the_track_moves_the_cursor_of_the_plots(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(flown(stub))
    at = highest(page)
    slider, marks = slider_of(page), page.locator(".plot-at")
    end, marked = slider.get_attribute("aria-valuetext"), marks.first.get_attribute("style")
    page.mouse.move(*at)
    expect(slider).not_to_have_attribute("aria-valuetext", end or "")
    expect(marks.first).not_to_have_attribute("style", marked or "")
    there = page.locator(".flight-here").bounding_box()
    assert there is not None
    assert abs(there["x"] + there["width"] / 2 - at[0]) < 12
    assert abs(there["y"] + there["height"] / 2 - at[1]) < 12
    pointed = slider.get_attribute("aria-valuetext")
    page.get_by_role("heading", name="Flights").hover()
    expect(slider).to_have_attribute("aria-valuetext", end or "")
    page.mouse.click(*at)
    page.get_by_role("heading", name="Flights").hover()
    page.wait_for_timeout(100)
    expect(slider).to_have_attribute("aria-valuetext", pointed or "")


def test_a_click_keeps_the_moment_that_pointing_shows(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(flown(stub))
    x, y = highest(page)
    slider, heading = slider_of(page), page.get_by_role("heading", name="Flights")
    for right in range(10):
        page.mouse.move(x - right, y + right / 2)
        page.wait_for_timeout(50)
        pointed = slider.get_attribute("aria-valuetext")
        page.mouse.down()
        page.mouse.up()
        heading.hover()
        page.wait_for_timeout(50)
        assert slider.get_attribute("aria-valuetext") == pointed


def test_a_moment_moves_the_marker_and_draws_nothing_anew(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(flown(stub))
    drawn(page)
    page.wait_for_timeout(500)
    places, drawings = page.evaluate(
        """async marker => {
            let drawings = 0;
            for (const name of ["stroke", "fill", "clearRect", "drawImage"]) {
                const real = CanvasRenderingContext2D.prototype[name];
                CanvasRenderingContext2D.prototype[name] = function (...what) {
                    if (this.canvas.closest(".flight-map")) drawings += 1;
                    return real.apply(this, what);
                };
            }
            const slider = document.querySelector("input[type=range]");
            const places = new Set();
            for (let step = 0; step < 30; step += 1) {
                slider.value = Number(slider.min) + step * 2000;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
                await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
                places.add(document.querySelector(marker).style.transform);
            }
            return [places.size, drawings];
        }""",
        MARKER,
    )
    assert places > 20
    assert drawings == 0


@pytest.mark.parametrize("eastward", [True, False])
def test_a_flight_over_the_date_line_is_one_track_that_fills_the_map(
    stub: StubApi, arch: Arch, open_page: OpenPage, eastward: bool
) -> None:
    arch.place, arch.eastward = (-17.0, 180.0), eastward
    page = open_page(flown(stub))
    drawn(page)
    assert kilometres(page) <= 5
    boxes = [box_of_colour(page, colour, TRACK) for colour in ENDS]
    width, height = page.eval_on_selector(TRACK, "canvas => [canvas.width, canvas.height]")
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    assert 0 < left < right < width
    assert 0 < top < bottom < height
    assert max((right - left) / width, (bottom - top) / height) > 0.4
    # Its moments are on both sides of the line, and marked in sight on both.
    west = set()
    slider, seen = slider_of(page), page.locator(".flight-map").bounding_box()
    assert seen is not None
    for step in range(8):
        slider.evaluate(
            """(slider, step) => {
                slider.value = Number(slider.min) + step * 80_000;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
            }""",
            step,
        )
        page.wait_for_timeout(60)
        west.add("W" in page.locator(".again-moment .muted").inner_text())
        marker = page.locator(".flight-here").bounding_box()
        assert marker is not None
        assert seen["x"] < marker["x"] < seen["x"] + seen["width"]
    assert west == {True, False}
    # And so it is when only one side of the line is in sight.
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("application").focus()
    for keys in (["ArrowDown", *["ArrowRight"] * 3], ["ArrowLeft"] * 6):
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(250)
        wait_until(lambda: box_of_colour(page, "--accent", TRACK) != [], 10, lambda: "the track ends at the line")


def test_the_wheel_scrolls_the_panel_until_the_map_is_meant(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(flown(stub))
    at = highest(page)
    before = kilometres(page)
    page.mouse.move(at[0] - 60, at[1] + 40)
    page.mouse.wheel(0, 100)
    wait_until(
        lambda: page.locator(".side-panel").evaluate("panel => panel.scrollTop") > 50, 10, lambda: "no scrolling"
    )
    assert kilometres(page) == before
    page.mouse.wheel(0, -300)
    wait_until(lambda: page.locator(".side-panel").evaluate("panel => panel.scrollTop") == 0, 10, lambda: "still down")
    page.mouse.down()
    page.mouse.up()
    page.mouse.wheel(0, -400)
    wait_until(lambda: kilometres(page) < before, 10, lambda: "not nearer")
    page.get_by_role("button", name="Show the whole flight").click()
    wait_until(lambda: kilometres(page) == before, 10, lambda: "not all of it")


def test_on_a_phone_a_tap_on_the_track_goes_to_its_moment(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(flown(stub), viewport=PHONE, has_touch=True)
    at = highest(page)
    slider = slider_of(page)
    end = slider.get_attribute("aria-valuetext")
    page.touchscreen.tap(*at)
    expect(slider).not_to_have_attribute("aria-valuetext", end or "")
    # Map and slider are in sight together.
    for part in (page.get_by_role("application"), slider):
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < PHONE["height"]
