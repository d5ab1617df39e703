"""The built page on loopback, each time in a browser that knows nothing of it: first paint, the fleet, a flight.

With the host idle, so that the page is measured and not the pipeline. ``first paint`` is what the browser itself calls
first contentful paint, counted from the request.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.fleet import percentile
from benchmarks.report import Row
from tests.support.chromium import launched, unusable
from tests.support.stub_api import Fleet, StubApi, flight
from tools.local_host import LocalHost

DRONES = 1_000
LOADED = """() => new Promise(done => new PerformanceObserver(list => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (!paint) return;
  const files = performance.getEntriesByType("resource").filter(one => one.name.includes("/assets/"));
  done([paint.startTime / 1000, files.reduce((sum, one) => sum + one.encodedBodySize, 0) / 1024]);
}).observe({ type: "paint", buffered: true }))"""
FRAMES = """seconds => new Promise(done => {
  let count = 0;
  const began = performance.now();
  const frame = now => {
    count += 1;
    if (now - began < 1000 * seconds) requestAnimationFrame(frame);
    else done(count / (now - began) * 1000);
  };
  requestAnimationFrame(frame);
})"""

SCRUBBED = """frames => new Promise(done => {
  const slider = document.querySelector("input[type=range]");
  const [from, to] = [Number(slider.min), Number(slider.max)];
  const began = performance.now();
  let count = 0;
  const frame = now => {
    count += 1;
    slider.value = from + (to - from) * count / frames;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (count < frames) requestAnimationFrame(frame);
    else done(count / (now - began) * 1000);
  };
  requestAnimationFrame(frame);
})"""


def measure(*, quick: bool) -> list[Row]:
    reason = unusable()
    if reason is not None:
        raise SystemExit(reason)
    times = 5 if quick else 20
    with launched() as browser:
        with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data") as host:
            loaded = [_load(browser, host.url + "/") for _ in range(times)]
        paints = [seconds for seconds, _ in loaded]
        listed, frames = _with_a_fleet(browser, times=max(3, times // 4), seconds=3 if quick else 10)
        scrubbed = _scrubbed(browser, frames=150 if quick else 600)
    what = f"{times} loads, nothing cached"
    return [
        Row("paint", f"{what}: first paint, p50", percentile(paints, 0.50), "s"),
        Row("paint", f"{what}: first paint, p95", percentile(paints, 0.95), "s", 1.0, at_least=False),
        Row("paint", "files of the page until then, as sent", max(size for _, size in loaded), "KiB"),
        Row("paint", f"{DRONES:,} drones: from the request to the first row of the list, p50", listed, "s"),
        Row("paint", f"{DRONES:,} moving drones on the map: frames a second", frames, "", 50),
        Row("paint", "a flight of one hour at 1 Hz, another moment every frame: frames a second", scrubbed, "", 30),
    ]


def _load(browser: Browser, url: str) -> tuple[float, float]:
    """Seconds to the first paint, KiB of the page's own files."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    seconds, size = page.evaluate(LOADED)
    context.close()
    return float(seconds), float(size)


def _with_a_fleet(browser: Browser, *, times: int, seconds: float) -> tuple[float, float]:
    """Seconds until the list is there (p50), and frames a second while the fleet moves."""
    stub = StubApi(fleet=Fleet(DRONES))
    listed = []
    try:
        for _ in range(times):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            page.goto(stub.url)
            page.get_by_role("listbox", name="Drones").get_by_role("option").first.wait_for()
            listed.append(float(page.evaluate("performance.now() / 1000")))
            context.close()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(stub.url)
        page.get_by_role("listbox", name="Drones").get_by_role("option").first.wait_for()
        page.wait_for_timeout(3000)
        return percentile(listed, 0.50), float(page.evaluate(FRAMES, seconds))
    finally:
        stub.stop()


def _scrubbed(browser: Browser, *, frames: int) -> float:
    """Frames a second while the slider of a flight goes from its start to its end in so many."""
    stub = StubApi(fleet=Fleet(20, remembers=3700.0))
    stub.flights = [flight(1, time.time() - 3600, 3600.0)]
    try:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{stub.url}#/flights/{stub.flights[0]['id']}")
        page.locator(".flight-here").wait_for()
        page.wait_for_timeout(3000)
        return float(page.evaluate(SCRUBBED, frames))
    finally:
        stub.stop()
