"""The largest rate that is sustained: in steps, until the fleet cannot send it or the backlog at the end is more than
two seconds of the rate; and what is worked off when the fleet has sent everything before, so that its processor time is
no part of it. Three runs of each. A rate counts only when nothing is missing at its end.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import HUB, Fleet, simulator
from benchmarks.processes import Usage, by_name, cpu_seconds, family
from benchmarks.report import Row
from tools.local_host import LocalHost, wait_until

DRONES = 1_000
INSIDE, APART = 7_000, 10_000
CORES = 1.7
LOWEST, STEP = 2_000, 1_000
BACKLOG_SECONDS = 2.0
RUNS = 3


@dataclass(frozen=True)
class Sustained:
    """``cores``: what host, workers, hub and fleet used in the step after the last that was sustained."""

    rate: float
    cores: float


def measure(*, quick: bool) -> list[Row]:
    seconds, runs, messages = (8, 1, 30_000) if quick else (15, RUNS, 100_000)
    inside: list[Sustained] = []
    for _ in range(runs):
        # Runs after the first begin where it ended.
        lowest = LOWEST if not inside else max(STEP, int(inside[0].rate) - STEP)
        inside.append(largest(lowest, lambda rate: _step(rate, seconds)))
    apart = [_worked_off(messages) for _ in range(runs)]
    what = f"{DRONES:,} drones, {seconds} s a step, {runs} runs"
    drained = f"{messages:,} messages that lay in the hub, {runs} runs"
    return [
        *_spread(f"{what}: largest sustained rate", [one.rate for one in inside], INSIDE),
        Row(
            "throughput",
            f"{what}: cores that host, workers, hub and fleet use beyond it",
            _median([one.cores for one in inside]),
            "cores",
            CORES,
        ),
        *_spread(f"{drained}: worked off, the fleet apart", [one.rate for one in apart], APART),
        Row("throughput", f"{drained}: cores used", _median([one.cores for one in apart]), "cores"),
    ]


def _spread(what: str, rates: Sequence[float], target: float) -> list[Row]:
    # Only what repeats counts.
    rows = [Row("throughput", f"{what}, lowest", min(rates), "messages/s", target)]
    if len(rates) > 1:
        rows += [
            Row("throughput", f"{what}, median", _median(rates), "messages/s"),
            Row("throughput", f"{what}, highest", max(rates), "messages/s"),
        ]
    return rows


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def largest(first: int, step: Callable[[int], tuple[bool, float]]) -> Sustained:
    """Up from ``first`` for as long as ``step`` keeps up, or down from it until one does."""
    rate = first
    kept_up, cores = step(rate)
    if kept_up:
        while kept_up:
            rate += STEP
            kept_up, cores = step(rate)
        return Sustained(float(rate - STEP), cores)
    while rate > STEP:
        rate -= STEP
        kept_up, used = step(rate)
        if kept_up:
            return Sustained(float(rate), cores)
        cores = used
    return Sustained(0.0, cores)


def _step(rate: int, seconds: float) -> tuple[bool, float]:
    """Whether the rate is sustained, and how many cores all processes used while the fleet sent."""
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data") as host:
        assert host.process is not None
        fleet = Fleet(host, drones=DRONES, rate=rate / DRONES, seconds=seconds)
        usage = Usage({**by_name(host.process.pid), "fleet": [fleet.pid]})
        result = fleet.result()
        behind = time.monotonic()
        # Not while the fleet starts, nor as long as the first batches are small.
        used = usage.stop(seconds * 0.8)
        cores = sum(used.values())
        sent = int(result["sent"])
        stats = host.settled(messages=sent, seconds=180)
        drained = time.monotonic() - behind
    complete = stats["messages"] == sent == stats["stored"] + stats["duplicates"] + stats["rejected"]
    print(
        f"   {rate}/s: sent {result['rate']:.0f}/s, drained after {drained:.1f} s, {cores:.2f} cores ("
        f"{', '.join(f'{name} {of_name:.2f}' for name, of_name in used.items())}), complete: {complete}",
        flush=True,
    )
    return complete and float(result["rate"]) >= 0.97 * rate and drained <= BACKLOG_SECONDS, cores


def _worked_off(messages: int) -> Sustained:
    """Everything is in the host's own hub when it starts, as if the fleet had sent while only that hub was there."""
    with tempfile.TemporaryDirectory() as folder:
        ready, data = Path(folder) / "ready.json", Path(folder) / "data"
        hub = subprocess.Popen(
            [
                *(sys.executable, "-m", "event_hubs_emulator", "--port", "0", "--hub", f"{HUB}:4"),
                *("--data", str(data / "event_hubs"), "--ready-file", str(ready)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(ready.exists, 20, lambda: "the hub does not start")
            connection = json.loads(ready.read_text())["eventHubConnection"]
            seconds = messages / (5 * DRONES)
            output, _ = simulator(connection, drones=DRONES, rate=5, seconds=seconds).communicate()
            sent = int(json.loads(output.decode().strip().splitlines()[-1])["sent"])
        finally:
            hub.terminate()
            hub.wait()
        with LocalHost(data, ready="/api/health") as host:
            assert host.process is not None
            pids = family(host.process.pid)
            before, began = cpu_seconds(pids), time.monotonic()
            read = int(host.get("/api/stats")["messages"])
            stats = host.settled(messages=sent, seconds=180)
            took = time.monotonic() - began
            cores = (cpu_seconds(pids) - before) / took
    if stats["messages"] != sent or sent != stats["stored"] + stats["duplicates"] + stats["rejected"]:
        raise RuntimeError(f"{sent} messages were sent: {stats}")
    print(f"   {sent - read:,} messages worked off in {took:.1f} s, {cores:.2f} cores", flush=True)
    return Sustained((sent - read) / took, cores)
