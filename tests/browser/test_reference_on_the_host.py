"""Zones, registry and a map out of a file against the running host: what the page saves is in force."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support import pmtiles
from tests.support.chromium import OpenPage, painted
from tests.support.senders import message, send
from tools.local_host import LocalHost, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """A host with one drone and a map of its own. Needs the browser only so that nothing is started without one."""
    folder = tmp_path_factory.mktemp("reference")
    file = pmtiles.write(folder / "world.pmtiles", {(0, 0, 0): pmtiles.picture(20, 120, 200)})
    host = LocalHost(folder / "data", settings={"MAP_PMTILES_FILE": str(file)})
    try:
        host.start()
        send(host.connection, [message("stranger", n) for n in range(3)], partition="0")
        wait_until(lambda: host.items("/api/drones"), 40, host.log.read_text)
        yield host
    finally:
        if host.process is not None:
            host.stop()


def test_a_zone_that_is_saved_is_in_force_and_can_be_taken_back(
    world: LocalHost, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("412")
    page = open_page(world.url + "/#/zones")
    before = len(world.get("/api/zones")["features"])
    tools = page.get_by_role("toolbar", name="Zones")
    tools.get_by_role("button", name="Square").click()
    panel = page.get_by_role("complementary")
    panel.get_by_label("Id", exact=True).fill("harbour")
    tools.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. In force everywhere within ten seconds.")).to_be_attached()
    zones = world.get("/api/zones")
    assert [one["properties"]["id"] for one in zones["features"]][before:] == ["harbour"]

    # Somebody else saves in between.
    tag = world.request("GET", "/api/zones").headers["ETag"]
    zones["features"][-1]["properties"]["ceiling"] = 55
    assert world.request("PUT", "/api/zones", zones, headers={"If-Match": tag}).status == 200
    panel.get_by_label("Name").fill("Harbour")
    tools.get_by_role("button", name="Save").click()
    told = page.get_by_role("alert").filter(has_text="Somebody else has changed the zones meanwhile.")
    told.get_by_role("button", name="Take theirs").click()
    expect(panel.get_by_label("Ceiling (m)")).to_have_value("55")

    page.get_by_text("Versions", exact=True).click()
    page.get_by_role("button", name="Restore version 1").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Restore").click()
    expect(dialog).to_contain_text("Version 1 is in force again.")
    assert len(world.get("/api/zones")["features"]) == before


def test_a_drone_is_registered_in_its_panel(world: LocalHost, open_page: OpenPage, watch_console: list[str]) -> None:
    watch_console.append("404")
    page = open_page(world.url + "/#/fleet/stranger")
    panel = page.get_by_role("complementary", name="Drone stranger")
    panel.get_by_role("button", name="Register this drone").click()
    form = panel.get_by_role("form", name="Registration")
    form.get_by_label("Name").fill("Falcon")
    form.get_by_label("Home latitude (°)").fill("47.5")
    form.get_by_label("Home longitude (°)").fill("-122.2")
    form.get_by_role("button", name="Register").click()
    expect(panel.get_by_text("Falcon")).to_be_visible()
    assert world.get("/api/registry/stranger")["home"] == {"latitude": 47.5, "longitude": -122.2}
    assert world.get("/api/drones/stranger")["registration"]["name"] == "Falcon"
    panel.get_by_role("button", name="Edit the registration").click()
    form.get_by_label("Model").fill("X4")
    form.get_by_role("button", name="Save").click()
    expect(panel.get_by_text("Falcon · X4")).to_be_visible()


def test_the_map_out_of_a_file_comes_in_ranges_from_the_host(world: LocalHost, open_page: OpenPage) -> None:
    page = open_page(world.url)
    expect(page.locator(".map .base-tiles canvas")).to_be_attached()
    wait_until(lambda: painted(page, ".map .base-tiles canvas") > 100_000, 20, lambda: "no tiles")
    answer = world.request("GET", "/api/map.pmtiles", headers={"Range": "bytes=0-6"})
    assert (answer.status, answer.body) == (206, b"PMTiles")
