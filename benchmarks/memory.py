"""Resident memory of the host, its hub included, while 1,000 drones send one message a second each."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.fleet import Fleet, resident_bytes
from benchmarks.report import Row
from tools.local_host import LocalHost


def measure(*, quick: bool) -> list[Row]:
    minutes = 1 if quick else 10
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data") as host:
        fleet = Fleet(host, drones=1_000, rate=1, seconds=60 * minutes)
        assert host.process is not None
        began = time.monotonic()
        while fleet.running():
            samples.append((time.monotonic() - began, resident_bytes(host.process.pid) / 2**20))
            time.sleep(1)
        host.settled(messages=int(fleet.result()["sent"]), seconds=120)
    # The first quarter is warm-up: caches and pools are still being filled.
    settled = [sample for sample in samples if sample[0] > 15 * minutes]
    half = len(settled) // 2
    early = sum(mib for _, mib in settled[:half]) / half
    late = sum(mib for _, mib in settled[half:]) / (len(settled) - half)
    what = f"host and hub, {minutes} min at 1,000 messages/s"
    return [
        Row("memory", f"{what}: at the end", samples[-1][1], "MiB"),
        Row("memory", f"{what}: growth, second half against first half", 100 * (late / early - 1), "%", 5, False),
    ]
