"""1,000 drones at one message a second each, as a second process on the same cores; probes measure send to readable."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.fleet import Fleet, Probes, percentile
from benchmarks.report import Row
from tools.local_host import LocalHost

DRONES = 1_000


def measure(*, quick: bool) -> list[Row]:
    seconds = 15 if quick else 60
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data") as host:
        fleet = Fleet(host, drones=DRONES, rate=1, seconds=seconds)
        probes = Probes(host, per_second=6)
        probes.run(seconds)
        sent = int(fleet.result()["sent"])
        stats = host.settled(messages=sent + probes.sent, seconds=120)
        complete = stats["messages"] == sent + probes.sent == stats["stored"] + stats["duplicates"] + stats["rejected"]
    what = f"{DRONES:,} drones x 1 message/s, {seconds} s, {len(probes.seconds)} probes"
    return [
        Row("latency", f"{what}: p50", percentile(probes.seconds, 0.50), "s"),
        Row("latency", f"{what}: p95", percentile(probes.seconds, 0.95), "s"),
        Row("latency", f"{what}: p99", percentile(probes.seconds, 0.99), "s", 1.0, at_least=False),
        Row("latency", "messages unaccounted for at the end", float(not complete) + probes.lost, "", 0, at_least=False),
    ]
