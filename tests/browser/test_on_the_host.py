"""The page against the running host with the real pipeline and a fleet that flies: what an operator does all day."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import OpenPage, accessibility_problems, fingerprint, painted
from tests.support.senders import message, send
from tools.local_host import LocalHost, wait_until

pytestmark = pytest.mark.e2e

DRONES = 40
# More than the five attempts of one activity (orchestrators/), since a purge may take some: the first
# batch fails, and what is left is soon used up by attempts that are made again.
FAULTS = "messages.write:before:7"
REJECTED = {"deviceId": "crooked", "battery": 1.4, "flightMode": "sideways", "note": "<img src=x onerror=alert(1)>"}

# What Chromium calls it depends on where the request was when the server was killed.
KILLED_SERVER = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_CONNECTION_CLOSED",
    "ERR_EMPTY_RESPONSE",
    "ERR_SOCKET_NOT_CONNECTED",
    "ERR_CONTENT_LENGTH_MISMATCH",
)


@pytest.fixture(scope="module")
def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """A host whose first batch failed, with dead letters, and a fleet that takes off. Needs the browser only so that
    nothing is started where there is none."""
    host = LocalHost(tmp_path_factory.mktemp("page") / "data", settings={"INJECT_FAULTS": FAULTS})
    fleet = None
    try:
        host.start()
        send(host.connection, [message("doomed", n) for n in range(3)], partition="0")
        wait_until(lambda: host.items("/api/batches?status=failed"), 40, host.log.read_text)
        bundle = [message("drone-low", 0, battery=0.05), REJECTED, {**REJECTED, "deviceId": "crooked-2"}]
        send(host.connection, [json.dumps(bundle).encode(), b"\x0a\x01A\x12\x00"], partition="1")
        command = [sys.executable, "-m", "simulator", "--drones", str(DRONES), "--rate", "2", "--seconds", "0"]
        fleet = subprocess.Popen(
            [*command, "--connection", host.connection], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: len(host.items("/api/drones")) >= DRONES + 1, 40, host.log.read_text)
        yield host
    finally:
        if fleet is not None:
            fleet.terminate()
            fleet.wait(10)
        if host.process is not None:
            host.stop()


@pytest.fixture(scope="module")
def failed_batch(world: LocalHost) -> str:
    """The id of the batch that failed, whatever became of it since."""
    return str(world.items("/api/batches")[-1]["id"])


def drones(page: Page, name: str | None = None) -> Any:
    box = page.get_by_role("listbox", name="Drones")
    return box.get_by_role("option", name=re.compile(name)) if name else box.get_by_role("option")


def test_the_fleet_is_on_the_map_and_in_the_list(world: LocalHost, open_page: OpenPage) -> None:
    page = open_page(world.url)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    expect(page.get_by_text(f"{DRONES + 1} drones", exact=True)).to_be_visible()
    wait_until(lambda: painted(page) > DRONES * 20, 30, lambda: "no markers")


def test_filters_narrow_the_list_and_the_map(world: LocalHost, open_page: OpenPage) -> None:
    page = open_page(world.url)
    expect(drones(page, "^drone-0 ")).to_be_visible()
    page.get_by_role("searchbox").fill("drone-low")
    expect(page.get_by_text(f"1 of {DRONES + 1} drones", exact=True)).to_be_visible()
    expect(drones(page)).to_have_count(1)
    expect(page.get_by_text("1 drone in view")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox", name="Alert").select_option("low_battery")
    expect(drones(page, "^drone-low .*Low battery")).to_be_visible()
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text("No drone matches these filters.")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_text(f"{DRONES + 1} drones", exact=True)).to_be_visible()


def test_a_drone_opens_with_values_ages_plots_and_track(world: LocalHost, open_page: OpenPage) -> None:
    page = open_page(world.url)
    drones(page, "^drone-3 ").click()
    detail = page.get_by_role("complementary", name="Drone drone-3")
    expect(detail.get_by_role("heading", name="drone-3")).to_be_visible()
    state = world.get("/api/drones/drone-3")
    battery = detail.get_by_role("row", name=re.compile("^Battery"))
    expect(battery).to_contain_text(f"{round(state['battery'] * 100)} %")
    expect(battery).to_contain_text(re.compile(r"just now|\d+ s ago"))
    for plot in ("Battery", "Altitude", "Ground speed"):
        expect(detail.locator("figure", has_text=plot).locator(".plot-value")).to_have_text(re.compile(r"\d"))
    wait_until(lambda: painted(page, ".detail canvas") > 500, 30, lambda: "the plot is empty")
    expect(page).to_have_url(re.compile("#/fleet/drone-3$"))

    page.get_by_role("button", name="Follow the open drone").click()
    page.get_by_role("button", name="Close the drone").click()
    expect(detail).to_be_hidden()


def test_a_marker_opens_its_drone(world: LocalHost, open_page: OpenPage, watch_console: list[str]) -> None:
    watch_console.append("404")
    page = open_page(world.url + "/#/fleet/doomed-nowhere")
    expect(page.get_by_role("alert")).to_contain_text("404")
    page.get_by_role("searchbox").fill("drone-low")
    page.get_by_role("button", name="Show the whole fleet").click()
    # One drone is left, and the map shows it in its middle; it does not move.
    expect(page.get_by_text("1 drone in view")).to_be_visible()
    page.wait_for_timeout(400)  # the map's own animation
    page.get_by_role("application").click()
    expect(page.get_by_role("complementary", name="Drone drone-low")).to_contain_text("Low battery")


def test_a_failed_batch_is_replayed_from_the_page(world: LocalHost, failed_batch: str, open_page: OpenPage) -> None:
    page = open_page(world.url + "/#/batches?status=failed")
    row = page.get_by_role("row", name=re.compile("Failed"))
    expect(row).to_have_count(1)
    row.get_by_role("link").click()
    panel = page.get_by_role("complementary", name=re.compile("^Batch"))
    expect(panel).to_contain_text("injected fault")
    steps = panel.get_by_role("list", name="Steps").locator("> li")
    expect(steps.filter(has_text="Store, failed")).to_contain_text("5 attempts")
    expect(steps.last).to_contain_text("Note the failure, done")
    status = panel.get_by_role("link", name="Durable status").get_attribute("href")
    assert status is not None
    durable = world.request("GET", status.removeprefix(world.url)).json()
    assert durable["runtimeStatus"] == "Failed"

    panel.get_by_role("button", name="Replay").click()
    dialog = page.get_by_role("dialog", name="Replay this batch?")
    dialog.get_by_role("button", name="Cancel").click()
    assert world.get(f"/api/batches/{failed_batch}")["status"] == "failed"
    panel.get_by_role("button", name="Replay").click()
    dialog.get_by_role("button", name="Replay").click()
    expect(dialog).to_contain_text("Completed: 3 stored, 0 duplicates, 0 rejected.", timeout=30_000)
    dialog.get_by_role("button", name="Close").click()
    expect(panel).to_contain_text("Completed")
    expect(steps.last).to_contain_text("Update drones, done")
    panel.get_by_role("button", name="Attempt 1").click()
    expect(steps.filter(has_text="Store, failed")).to_contain_text("5 attempts")
    assert world.get("/api/drones/doomed")["battery"] == message("doomed", 2)["battery"]


def test_an_orchestration_is_started_anew_and_purged(world: LocalHost, failed_batch: str, open_page: OpenPage) -> None:
    page = open_page(world.url + f"/#/instances?idPrefix={failed_batch}&status=Failed")
    page.get_by_role("row", name=re.compile("process_batch")).get_by_role("link").click()
    panel = page.get_by_role("complementary", name=re.compile("^Orchestration"))
    expect(panel.get_by_role("list", name="Steps")).to_contain_text("Note the failure (fail_batch), done")
    dialog = page.get_by_role("dialog")
    panel.get_by_role("button", name="Start anew").click()
    dialog.get_by_role("button", name="Start anew").click()
    started = dialog.get_by_role("link").inner_text()
    dialog.get_by_role("button", name="Close").click()
    # It is no attempt at the batch, and finds that out.
    wait_until(lambda: world.get(f"/api/instances/{started}")["status"] == "Completed", 30, world.log.read_text)
    assert world.get(f"/api/instances/{started}")["output"]["current"] is False
    page.goto(world.url + f"/#/instances/{started}")
    panel.get_by_role("button", name="Purge").click()
    dialog.get_by_role("button", name="Purge").click()
    expect(dialog).to_contain_text("It is gone.")
    assert world.request("GET", f"/api/instances/{started}").status == 404


@contextlib.contextmanager
def telling(world: LocalHost, device: str) -> Iterator[None]:
    """It goes on to say what is of long ago: however slow the machine, the drone is online."""
    over = threading.Event()

    def tell() -> None:
        for second in itertools.count(1):
            send(world.connection, [message(device, second, battery=0.05)], partition="1")
            if over.wait(5):
                return

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_an_alert_of_the_real_pipeline_is_taken_up(world: LocalHost, open_page: OpenPage) -> None:
    with telling(world, "drone-low"):
        _is_taken_up(world, open_page)


def _is_taken_up(world: LocalHost, open_page: OpenPage) -> None:
    # Of what it says only that it came late is news.
    wait_until(lambda: world.items("/api/alerts?deviceId=drone-low&status=active"), 60, world.log.read_text)
    page = open_page(world.url + "/#/alerts?deviceId=drone-low")
    row = page.get_by_role("row", name=re.compile("drone-low"))
    expect(row).to_contain_text("Telemetry delayed")
    expect(row).to_contain_text(re.compile(r"\d+ d .*late"))
    expect(page.get_by_role("link", name=re.compile("^Alerts"))).to_contain_text("active and not acknowledged")
    row.get_by_role("link").click()
    panel = page.get_by_role("complementary", name=re.compile("^Alert"))
    panel.get_by_role("button", name="Acknowledge").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill("On its way home")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_contain_text("Acknowledged.")
    dialog.get_by_role("button", name="Close").click()
    expect(panel).to_contain_text("On its way home")
    assert accessibility_problems(page) == []
    episode = world.items("/api/alerts?deviceId=drone-low&code=telemetry_delayed")[0]
    assert episode["note"] == "On its way home"
    panel.get_by_role("link", name="Its orchestration").click()
    expect(page.get_by_role("complementary", name=re.compile("alert"))).to_contain_text(episode["instanceId"])


def test_a_dead_letter_shows_why_and_what_and_is_discarded_with_a_reason(
    world: LocalHost, failed_batch: str, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("409")
    page = open_page(world.url + "/#/deadletters?deviceId=crooked")
    page.get_by_role("row", name=re.compile("crooked")).get_by_role("link").click()
    panel = page.get_by_role("complementary", name=re.compile("^Dead letter"))
    expect(panel).to_contain_text("Battery out of range")
    expect(panel).to_contain_text("Unknown flight mode")
    expect(panel.get_by_label("Body as JSON")).to_contain_text('"note": "<img src=x onerror=alert(1)>"')
    panel.get_by_role("button", name="Hex").click()
    expect(panel.get_by_label("Body as Hex")).to_contain_text("000000  7b 22")

    panel.get_by_role("button", name="Replay").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Replay").click()
    expect(dialog).to_contain_text("Still rejected")
    expect(dialog).to_contain_text("Battery out of range")
    dialog.get_by_role("button", name="Close").click()

    panel.get_by_role("button", name="Discard").click()
    dialog.get_by_role("button", name="Discard").click()
    expect(dialog).to_contain_text("Say why.")
    dialog.get_by_label("Reason").fill("sensor was replaced")
    dialog.get_by_role("button", name="Discard").click()
    expect(dialog).to_contain_text("Discarded.")
    dialog.get_by_role("button", name="Close").click()
    expect(panel).to_contain_text("sensor was replaced")
    letter = world.items("/api/deadletters?deviceId=crooked&status=discarded")[0]
    assert letter["reason"] == "sensor was replaced"


def test_all_dead_letters_that_match_are_replayed_at_once(
    world: LocalHost, failed_batch: str, open_page: OpenPage
) -> None:
    page = open_page(world.url + "/#/deadletters?deviceId=crooked-2")
    expect(page.get_by_role("row", name=re.compile("crooked-2"))).to_be_visible()
    page.get_by_role("button", name="Replay all open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("crooked-2")
    dialog.get_by_role("button", name="Replay all").click()
    expect(dialog).to_contain_text("1 dead letter still rejected.")


def test_the_pipeline_accounts_for_every_message(world: LocalHost, failed_batch: str, open_page: OpenPage) -> None:
    page = open_page(world.url + "/#/pipeline")
    section = page.get_by_role("region", name="Conservation of messages")
    expect(section).to_contain_text(re.compile("Balanced|in flight|not processed yet"))
    expect(page.get_by_role("region", name="Health")).to_contain_text("Store")
    expect(page.get_by_role("region", name="Reasons of rejection")).to_contain_text("Battery out of range")
    expect(page.locator(".figure", has_text="Rate").locator("strong")).to_have_text(re.compile(r"^\d"), timeout=20_000)


def test_what_the_server_refuses_is_said_in_its_words(
    world: LocalHost, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console.append("400")
    page = open_page(world.url + "/#/batches?status=lost")
    expect(page.get_by_role("alert")).to_contain_text("status")
    expect(page.get_by_role("alert")).to_contain_text("received")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_view_has_accessibility_problems(
    world: LocalHost, failed_batch: str, open_page: OpenPage, scheme: str
) -> None:
    page = open_page(world.url, color_scheme=scheme)
    letter = world.items("/api/deadletters")[0]["id"]
    views = ("fleet/drone-3", "pipeline", "instances", f"batches/{failed_batch}", f"deadletters/{letter}")
    found = {}
    for view in views:
        page.goto(f"{world.url}/#/{view}")
        expect(page.locator("main .empty")).to_have_count(0)
        expect(page.locator("table, .figures").first).to_be_visible()
        found[view] = accessibility_problems(page)
    page.get_by_role("button", name="Replay all").click()
    found["dialog"] = accessibility_problems(page)
    assert {view: problems for view, problems in found.items() if problems} == {}


def test_markers_move_as_their_drones_fly(world: LocalHost, open_page: OpenPage) -> None:
    page = open_page(world.url)
    wait_until(lambda: any(d["groundSpeed"] for d in world.items("/api/drones")), 60, lambda: "no drone flies")
    before = fingerprint(page)
    wait_until(lambda: fingerprint(page) != before, 10, lambda: "the markers do not move")


def test_a_lost_connection_is_shown_and_found_again(
    world: LocalHost, open_page: OpenPage, watch_console: list[str]
) -> None:
    watch_console += [*KILLED_SERVER, "503"]
    page = open_page(world.url)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    world.kill()
    banner = page.get_by_role("alert").filter(has_text="Connection lost.")
    expect(banner).to_contain_text(re.compile("What you see is .* old"))
    expect(page.locator(".map-pane.lost")).to_be_visible()
    expect(page).to_have_title("Connection lost · Drone Telemetry")
    expect(drones(page, "^drone-0 ")).to_be_visible()
    expect(banner.get_by_role("button", name="Try now")).to_be_enabled()
    world.start()
    # By itself, after the pause that it has told of.
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    expect(banner).to_be_hidden()
    expect(page).to_have_title("Drone Telemetry")
