"""1,000 drones at one message a second each, as a second process on the same cores; probes measure send to readable.

Once as the host starts, once with the store and the engine flushing the disk with every commit, and once with the
windows with which Azure's profiles gather batches and signals.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.fleet import Fleet, Probes, percentile
from benchmarks.report import Row
from benchmarks.tax import FULL
from tools.local_host import LocalHost

DRONES = 1_000
P99_SECONDS = 0.4
# As infra/profiles.json and infra/main.bicep set them.
WINDOWS = {
    "SIGNAL_WINDOW_SECONDS": "10",
    "AzureFunctionsJobHost__extensions__eventHubs__maxWaitTime": "00:00:01",
}
P99_SECONDS_IN_WINDOWS = 2.0


def measure(*, quick: bool) -> list[Row]:
    shorter = 15 if quick else 30
    return [
        *_rows(15 if quick else 60, {}, "", P99_SECONDS),
        *_rows(shorter, FULL, ", synchronous=full", P99_SECONDS),
        *_rows(shorter, WINDOWS, ", batches of 1 s and signals of 10 s", P99_SECONDS_IN_WINDOWS),
    ]


def _rows(seconds: int, settings: Mapping[str, str], how: str, most: float) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data", settings=settings) as host:
        fleet = Fleet(host, drones=DRONES, rate=1, seconds=seconds)
        probes = Probes(host, per_second=6)
        probes.run(seconds)
        sent = int(fleet.result()["sent"])
        stats = host.settled(messages=sent + probes.sent, seconds=120)
        complete = stats["messages"] == sent + probes.sent == stats["stored"] + stats["duplicates"] + stats["rejected"]
    what = f"{DRONES:,} drones x 1 message/s, {seconds} s, {len(probes.seconds)} probes{how}"
    return [
        Row("latency", f"{what}: p50", percentile(probes.seconds, 0.50), "s"),
        Row("latency", f"{what}: p95", percentile(probes.seconds, 0.95), "s"),
        Row("latency", f"{what}: p99", percentile(probes.seconds, 0.99), "s", most, at_least=False),
        Row("latency", f"{what}: unaccounted for at the end", float(not complete) + probes.lost, "", 0, at_least=False),
    ]
