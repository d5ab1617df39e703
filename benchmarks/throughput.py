"""The largest rate that is sustained: in steps, until the fleet cannot send it or the backlog at the end is more than
two seconds of the rate. Every step checks that nothing is missing before its rate counts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.fleet import Fleet
from benchmarks.report import Row
from tools.local_host import LocalHost

DRONES = 1_000
TARGET = 5_000
STEPS = (1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000)
BACKLOG_SECONDS = 2.0


def measure(*, quick: bool) -> list[Row]:
    seconds = 10 if quick else 20
    sustained = 0.0
    rows: list[Row] = []
    for step in STEPS:
        with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data") as host:
            began = time.monotonic()
            fleet = Fleet(host, drones=DRONES, rate=step / DRONES, seconds=seconds)
            result = fleet.result()
            behind = time.monotonic()
            sent = int(result["sent"])
            stats = host.settled(messages=sent, seconds=180)
            drained = time.monotonic() - behind
            took = time.monotonic() - began
        complete = stats["messages"] == sent == stats["stored"] + stats["duplicates"] + stats["rejected"]
        kept_up = float(result["rate"]) >= 0.97 * step and drained <= BACKLOG_SECONDS
        print(
            f"   {step}/s: sent {result['rate']:.0f}/s, drained after {drained:.1f} s, complete: {complete}", flush=True
        )
        if complete and kept_up:
            sustained = float(step)
        else:
            rows.append(Row("throughput", f"messages/s over all when asked for {step}/s", sent / took, "messages/s"))
            break
    what = f"largest sustained rate, {DRONES:,} drones, {seconds} s a step"
    return [Row("throughput", what, sustained, "messages/s", TARGET), *rows]
