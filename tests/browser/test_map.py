"""The map: drones over everything, groups, land without a network, the date line, addresses that name a drone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support import pmtiles
from tests.support.canvas import box_of_colour, kilometres
from tests.support.chromium import OpenPage, painted
from tests.support.stub_api import Fleet, Json, StubApi
from tests.support.stub_reference import HOME
from tools.local_host import wait_until

pytestmark = pytest.mark.e2e

FIJI = ((-17.0, 179.95), (-17.02, -179.97), (-16.9, 179.9))


class Scattered(Fleet):
    """A fleet whose drones fly about several places in turn."""

    def __init__(self, size: int, *places: tuple[float, float]) -> None:
        super().__init__(size)
        self.places = places

    def view(self, number: int, now: float) -> Json:
        view = super().view(number, now)
        latitude, longitude = self.places[number % len(self.places)]
        position: dict[str, Any] = view["position"]
        position["latitude"] += latitude - HOME[0]
        position["longitude"] = (position["longitude"] - HOME[1] + longitude + 180) % 360 - 180
        return view


def test_drones_lie_over_all_that_the_map_draws(stub: StubApi, open_page: OpenPage) -> None:
    page = open_page(stub.url + "#/fleet/drone-4")
    wait_until(lambda: painted(page) > 0, 30, lambda: "no markers")
    # Where it is not placed, everything that is placed lies over it, whatever the order.
    style = page.eval_on_selector(
        ".map .drone-layer",
        "layer => [getComputedStyle(layer).position, layer === layer.parentElement.lastElementChild]",
    )
    assert style == ["absolute", True]


def test_land_has_come_with_the_page_and_lies_under_the_tiles(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("404")
    stub.config["mapTilesUrl"] = stub.url + "missing/{z}/{x}/{y}.png"  # tiles that do not come leave the land in sight
    page = open_page(stub.url)
    expect(page.locator(".map .land canvas")).to_be_attached()
    wait_until(lambda: painted(page, ".map .land canvas") > 10_000, 30, lambda: "no land")
    order = page.locator(".ol-layers").evaluate("layers => [...layers.children].map(layer => layer.className)")
    assert order.index("land") < order.index("base-tiles")


def test_from_near_the_country_is_named(stub: StubApi, open_page: OpenPage) -> None:
    stub.fleet = Scattered(3, (51.3, -1.0))
    page = open_page(stub.url)
    expect(page.locator(".map-readout").get_by_text("United Kingdom", exact=True)).to_be_visible()
    # From far away, the middle of the map says little about what it shows.
    while kilometres(page) < 500:
        page.get_by_role("button", name="Zoom out").click()
        page.wait_for_timeout(350)
    expect(page.get_by_text("United Kingdom", exact=True)).to_have_count(0)


def test_a_map_out_of_a_file_is_drawn_and_named_as_text(stub: StubApi, open_page: OpenPage, tmp_path: Path) -> None:
    named = {
        "attribution": "<a href='https://example.org'>© Example</a><img src=x onerror=\"document.title='broken'\">"
    }
    # The world at two zooms, but for its south-east: there the land that came with the page is left.
    tiles = {(0, 0, 0): pmtiles.picture(200, 10, 120)}
    tiles |= {(2, x, y): pmtiles.picture(10, 200, 120) for x in range(4) for y in range(4) if (x, y) != (3, 2)}
    stub.pmtiles = pmtiles.write(tmp_path / "world.pmtiles", tiles, metadata=named)
    stub.config["mapPmtilesUrl"] = "/api/map.pmtiles"
    stub.fleet = Scattered(8, (51.5, 0.0), (-33.9, 18.4), (35.7, 139.7), (47.6, -122.2))
    page = open_page(stub.url, color_scheme="light")
    expect(page.get_by_text("© Example", exact=True)).to_be_visible()
    expect(page.locator(".map .base-tiles canvas")).to_be_attached()
    wait_until(lambda: painted(page, ".map .base-tiles canvas") > 100_000, 30, lambda: "no tiles")
    assert page.title() == "Drone Telemetry"
    assert page.locator(".map-pane img").count() == 0


def test_vector_tiles_out_of_a_file_are_drawn_too(stub: StubApi, open_page: OpenPage, tmp_path: Path) -> None:
    stub.pmtiles = pmtiles.write(
        tmp_path / "world.pmtiles", {(0, 0, 0): pmtiles.vector_tile("water")}, tile_type=pmtiles.MVT
    )
    stub.config["mapPmtilesUrl"] = "/api/map.pmtiles"
    page = open_page(stub.url)
    expect(page.locator(".map .base-vector canvas").first).to_be_attached()
    wait_until(lambda: painted(page, ".map .base-vector canvas") > 100_000, 30, lambda: "no tiles")


def test_a_file_that_cannot_be_read_leaves_the_land(
    stub: StubApi, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("404")
    stub.config["mapPmtilesUrl"] = "/api/map.pmtiles"
    page = open_page(stub.url)
    expect(page.locator(".map .land canvas")).to_be_attached()
    wait_until(lambda: painted(page, ".map .land canvas") > 10_000, 30, lambda: "no land")


def test_groups_say_how_many_and_how_bad_and_open_with_a_click(stub: StubApi, open_page: OpenPage) -> None:
    stub.fleet = Scattered(60, (51.5, 0.0), (-33.9, 18.4))
    page = open_page(stub.url)
    expect(page.get_by_text("60 drones in view")).to_be_visible()
    page.wait_for_timeout(500)
    before = kilometres(page)
    assert before > 100
    left, top, _, bottom = box_of_colour(page, "--alert")  # each place has a drone with a low battery
    # The discs are one above the other: the upper one is at the top of what is red.
    box = page.get_by_role("application").bounding_box()
    assert box is not None
    assert bottom - top > 100
    at = (box["x"] + left + 14, box["y"] + top + 20)
    page.mouse.move(*at)
    tip = page.locator(".map-tip")
    expect(tip).to_contain_text("30 drones")
    expect(tip).to_contain_text("with an alert")
    page.mouse.click(*at)
    expect(page.get_by_text("30 drones in view")).to_be_visible()
    wait_until(lambda: kilometres(page) < before / 100, 10, lambda: f"still {kilometres(page)} km")


def test_a_fleet_on_the_date_line_is_shown_close_together(stub: StubApi, open_page: OpenPage) -> None:
    stub.fleet = Scattered(30, *FIJI)
    page = open_page(stub.url + "#/fleet/drone-1")
    expect(page.get_by_text("30 drones in view")).to_be_visible()
    wait_until(lambda: kilometres(page) <= 20, 10, lambda: f"still {kilometres(page)} km")
    wait_until(lambda: box_of_colour(page, "--accent") != [], 10, lambda: "the chosen drone is not in sight")


@pytest.mark.parametrize("narrow", [False, True])
def test_an_address_that_names_a_drone_shows_it(stub: StubApi, open_page: OpenPage, narrow: bool) -> None:
    stub.fleet = Scattered(20, (51.5, 0.0), (-33.9, 18.4), (35.7, 139.7), (47.6, -122.2))
    size = {"width": 390, "height": 800} if narrow else {"width": 1440, "height": 900}
    page = open_page(stub.url + "#/fleet/drone-3", viewport=size)
    if narrow:
        page.get_by_role("button", name="Close the drone").click()
        page.goto(stub.url + "#/fleet/drone-2")
        page.reload()
        page.get_by_role("complementary").get_by_role("heading").first.wait_for()
    wait_until(lambda: box_of_colour(page, "--accent") != [], 10, lambda: "the chosen drone is not in sight")
    page.wait_for_timeout(500)  # the map's own animation
    left, top, right, bottom = box_of_colour(page, "--accent")
    width, height = page.eval_on_selector("canvas.drone-canvas", "canvas => [canvas.width, canvas.height]")
    assert left > 0
    assert top > 0
    assert right < width - 1
    assert bottom < height - 1
    assert kilometres(page) < 20


def test_names_keep_clear_of_each_other(stub: StubApi, open_page: OpenPage) -> None:
    stub.fleet = Fleet(30)
    stub.fleet.view = lambda number, now: {  # type: ignore[method-assign]
        **Fleet.view(stub.fleet, number, now),
        "position": {"latitude": HOME[0], "longitude": HOME[1] + number * 0.0002, "altitude": 10},
        "alerts": [],
        "connectivity": "online",
    }
    page = open_page(stub.url)
    page.evaluate(
        """() => {
            window.written = [];
            const write = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
                if (this.canvas.className === "drone-canvas" && text.startsWith("drone-")) {
                    window.written.push([x, y, this.measureText(text).width]);
                }
                return write.call(this, text, x, y);
            };
            const clear = CanvasRenderingContext2D.prototype.clearRect;
            CanvasRenderingContext2D.prototype.clearRect = function (...box) {
                if (this.canvas.className === "drone-canvas") window.written = [];
                return clear.apply(this, box);
            };
        }"""
    )
    expect(page.get_by_text("30 drones in view")).to_be_visible()
    for _ in range(2):
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(700)
    written = page.evaluate("window.written")
    assert len(written) >= 3
    for at, (x, y, width) in enumerate(written):
        for other_x, other_y, other_width in written[at + 1 :]:
            apart = x + width <= other_x or other_x + other_width <= x or abs(y - other_y) >= 13
            assert apart, written
