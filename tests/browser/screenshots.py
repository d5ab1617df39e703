"""Pictures of the page for the documentation, of the real pipeline with a fleet in the air: ``make screenshots``.

python -m tests.browser.screenshots [--out docs/screenshots] [--drones 120] [--seconds 100]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.chromium import launched, unusable
from tests.support.senders import message, send
from tools.local_host import ROOT, LocalHost, wait_until

FAULTS = "messages.write:before:7"  # all attempts of the first batch, and some that a purge may take
BROKEN = "duplicates=0.01,reorder=0.05,corrupt=0.002,no_fix=0.001,unknown_mode=0.002"
WIDE: ViewportSize = {"width": 1440, "height": 900}
PICTURES = ("fleet-light", "fleet-dark", "drone-dark", "pipeline-light", "batches-dark", "dead-letters-light")
NARROW: ViewportSize = {"width": 390, "height": 844}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make screenshots", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--drones", type=int, default=120)
    parser.add_argument("--seconds", type=float, default=100, help="how long the fleet flies first")
    options = parser.parse_args(arguments)
    reason = unusable()
    if reason is not None:
        print(reason, file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, launched() as browser:
        host = LocalHost(Path(scratch) / "data", settings={"INJECT_FAULTS": FAULTS})
        fleet = None
        try:
            host.start()
            fleet = take_off(host, options.drones)
            photographs(browser, host, options.out, options.seconds)
        finally:
            if fleet is not None:
                fleet.terminate()
                fleet.wait(15)
            if host.process is not None:
                host.stop()
    return 0


def take_off(host: LocalHost, drones: int) -> subprocess.Popen[bytes]:
    """One failed batch, then the fleet."""
    send(host.connection, [message("drone-0", n) for n in range(50)], partition="0")
    wait_until(lambda: host.items("/api/batches?status=failed"), 60, host.log.read_text)
    flight = ["--drones", str(drones), "--rate", "1", "--seconds", "0", "--seed", "7", "--faults", BROKEN]
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *flight, "--connection", host.connection],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )


def photographs(browser: Browser, host: LocalHost, out: Path, seconds: float) -> None:
    # Opened first: the plots of the pipeline show what came while the page was open.
    pages = {scheme: browser.new_page(viewport=WIDE, color_scheme=scheme) for scheme in ("light", "dark")}
    for page in pages.values():
        page.goto(host.url + "/")
    time.sleep(seconds)
    drone = busiest(host)
    letters = host.items("/api/deadletters?errorCode=battery_out_of_range") or host.items("/api/deadletters")
    failed = host.items("/api/batches?status=failed")[0]["id"]
    views = {
        "fleet": "fleet",
        "drone": f"fleet/{drone}",
        "pipeline": "pipeline",
        "batches": f"batches/{failed}",
        "dead-letters": f"deadletters/{letters[0]['id']}" if letters else "deadletters",
    }
    for picture in PICTURES:
        name, _, scheme = picture.rpartition("-")
        show(pages[scheme], f"{host.url}/#/{views[name]}", name)
        pages[scheme].screenshot(path=out / f"{picture}.png")
    narrow = browser.new_page(viewport=NARROW, color_scheme="dark")
    narrow.goto(f"{host.url}/#/fleet/{drone}")
    settle(narrow)
    narrow.screenshot(path=out / "narrow-dark.png")
    show(pages["dark"], host.url + "/#/fleet", "fleet")
    host.kill()
    expect(pages["dark"].get_by_role("alert").filter(has_text="Connection lost.")).to_be_visible(timeout=15_000)
    settle(pages["dark"])
    pages["dark"].screenshot(path=out / "lost-dark.png")


def busiest(host: LocalHost) -> str:
    """A drone worth looking at: in the air, with an alert if there is one."""
    drones = host.items("/api/drones?connectivity=online")
    best = max(drones, key=lambda d: (d["flightMode"] == "inflight", len(d["alerts"]), d["groundSpeed"] or 0))
    return str(best["id"])


def show(page: Page, url: str, name: str) -> None:
    page.goto(url)
    if name == "fleet":
        page.get_by_role("button", name="Show the whole fleet").click()
    settle(page)


def settle(page: Page) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(3000)  # answers, fonts, and the map's own animation


if __name__ == "__main__":
    sys.exit(main())
