"""What durability costs: processor seconds per 1,000 messages of the app on its host, against a bare consumer.

Alternating, the same fleet with the same seed, each reading from a local hub of its own. Counted are the processes that
consume, not hub and fleet. A round counts only when nothing is missing at its end. The bare consumer flushes the disk
with every batch; beside it stands what it costs when the app's store and engine do so with every commit.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bare_consumer
from benchmarks.fleet import HUB, simulator
from benchmarks.processes import consuming, cpu_seconds, family
from benchmarks.report import Row
from tools.local_host import LocalHost, wait_until

DRONES = 1_000
RATES = ((1_000, 1.8), (4_000, 1.3))
LOOK_SECONDS = 0.25
FULL = {
    "SQLITE_SYNCHRONOUS": "full",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__synchronous": "full",
}
"""Settings with which a power cut takes nothing that the app and the engine have acknowledged."""


@dataclass(frozen=True)
class Cost:
    """Processor seconds per 1,000 messages, and the rate at which the fleet could send."""

    seconds: float
    rate: float


def measure(*, quick: bool) -> list[Row]:
    rounds, seconds = (2, 8) if quick else (5, 10)
    rows: list[Row] = []
    for rate, target in RATES:
        bare: list[Cost] = []
        app: list[Cost] = []
        full: list[Cost] = []
        for number in range(rounds):
            bare.append(_bare(rate, seconds, seed=number))
            app.append(_app(rate, seconds, seed=number))
            if rate == RATES[0][0]:
                full.append(_app(rate, seconds, seed=number, settings=FULL))
            print(
                f"   {rate:,}/s, round {number + 1}: bare {bare[-1].seconds:.3f}, app {app[-1].seconds:.3f} s of CPU "
                f"per 1,000 (sent {bare[-1].rate:,.0f}/s and {app[-1].rate:,.0f}/s)",
                flush=True,
            )
        ratios = [one.seconds / other.seconds for one, other in zip(app, bare, strict=True)]
        what = f"{rate:,} messages/s, {rounds} rounds of {seconds} s"
        rows += [
            Row("tax", f"{what}: bare consumer, CPU per 1,000", _median(bare), "s"),
            Row("tax", f"{what}: the app, CPU per 1,000", _median(app), "s"),
            Row("tax", f"{what}: least sent, in either", min(one.rate for one in (*bare, *app)), "messages/s"),
            Row("tax", f"{what}: ratio, lowest round", min(ratios), "x"),
            Row("tax", f"{what}: ratio, highest round", max(ratios), "x"),
            Row("tax", f"{what}: ratio, median", statistics.median(ratios), "x", target, at_least=False),
        ]
        if full:
            rows.append(Row("tax", f"{what}: the app with synchronous=full, CPU per 1,000", _median(full), "s"))
    return rows


def _median(costs: list[Cost]) -> float:
    return statistics.median(cost.seconds for cost in costs)


def _app(rate: int, seconds: float, seed: int, settings: Mapping[str, str] | None = None) -> Cost:
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data", settings=settings) as host:
        assert host.process is not None

        def kept() -> int:
            stats = host.get("/api/stats")
            under_way = stats["batches"]["received"] + stats["batches"]["running"]
            found = stats["stored"] + stats["duplicates"] + stats["rejected"]
            return 0 if under_way or stats["messages"] != found else int(found)

        return _run(host.connection, rate, seconds, seed, consuming(host.process.pid), kept)


def _bare(rate: int, seconds: float, seed: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        ready, file = Path(folder) / "ready.json", Path(folder) / "kept.db"
        hub = subprocess.Popen(
            [
                *(sys.executable, "-m", "event_hubs_emulator", "--port", "0", "--hub", f"{HUB}:4"),
                *("--data", str(Path(folder) / "hub"), "--ready-file", str(ready)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        consumer: subprocess.Popen[bytes] | None = None
        try:
            wait_until(ready.exists, 20, lambda: "the hub does not start")
            connection = json.loads(ready.read_text())["eventHubConnection"]
            consumer = subprocess.Popen(
                [
                    *(sys.executable, "-m", "benchmarks.bare_consumer"),
                    *("--connection", connection, "--data", str(file)),
                ]
            )
            return _run(connection, rate, seconds, seed, family(consumer.pid), lambda: bare_consumer.count(file))
        finally:
            for process in (consumer, hub):
                if process is not None:
                    process.terminate()
                    process.wait()


def _run(connection: str, rate: int, seconds: float, seed: int, pids: list[int], kept: Callable[[], int]) -> Cost:
    """A short fleet first, so that nobody's start is counted."""
    # The fleet's own duplicates are none: every message is another.
    before = _sent(simulator(connection, drones=DRONES, rate=0.5, seconds=2, seed=seed + 100))["sent"]
    _wait(kept, before)
    began = cpu_seconds(pids)
    result = _sent(simulator(connection, drones=DRONES, rate=rate / DRONES, seconds=seconds, seed=seed))
    _wait(kept, before + result["sent"])
    used = cpu_seconds(pids) - began
    return Cost(1_000 * used / result["sent"], result["rate"])


def _sent(process: subprocess.Popen[bytes]) -> dict[str, float]:
    output, _ = process.communicate()
    result: dict[str, float] = json.loads(output.decode().strip().splitlines()[-1])
    return result


def _wait(kept: Callable[[], int], messages: float) -> None:
    """Asks seldom: the answers cost the app what is being measured."""
    until = time.monotonic() + 60
    while (found := kept()) != messages:
        if found > messages or time.monotonic() > until:
            raise RuntimeError(f"{found} messages are accounted for, {messages} were sent")
        time.sleep(LOOK_SECONDS)
