"""Other durable engines in the same run: chains of four steps a second, the latency of one, and signals to objects.

A round measures one after another, each started afresh on an empty store and alone, so that what all of them find is
the same machine in the same minutes. Each is set up as its own documentation advises and measured at the concurrency at
which it is fastest. What cannot be installed here is told and left out.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.contestants import Contestant, Script, ThisEngine
from benchmarks.peers.installing import NotInstalled
from benchmarks.peers.restate import Restate
from benchmarks.report import Row, number

ROUNDS = 5
CHAINS = {"this engine, normal": 2000, "this engine, full": 1000, "Restate": 600, "DBOS on SQLite": 150}
"""About two seconds of each on two quiet cores."""
OTHERS_CHAINS = 150
ALONE = 20
SIGNALS = {"this engine, normal": 10_000, "this engine, full": 10_000}
OTHERS_SIGNALS = 1_000
NORMAL, FULL, DBOS, RESTATE = "this engine, normal", "this engine, full", "DBOS on SQLite", "Restate"
CONTESTANTS: tuple[Contestant, ...] = (
    ThisEngine("normal"),
    Script(DBOS, "dbos_app.py", (1, 4, 16)),
    ThisEngine("full"),
    Restate(),
    Script("durabletask in memory", "durabletask_app.py", (50, 400)),
)
Measured = dict[str, dict[str, list[float]]]
"""What, by contestant, a number a round."""


def measure(*, quick: bool) -> list[Row]:
    found: Measured = defaultdict(lambda: defaultdict(list))
    missing: dict[str, str] = {}
    for turn in range(1 if quick else ROUNDS):
        for contestant in CONTESTANTS:
            if contestant.name in missing:
                continue
            with tempfile.TemporaryDirectory() as folder:
                try:
                    contestant.start(Path(folder))
                except NotInstalled as error:
                    missing[contestant.name] = str(error)
                    print(f"   {contestant.name}: left out: {error}", flush=True)
                    continue
                try:
                    _measure(contestant, found, 10 if quick else 1)
                finally:
                    contestant.stop()
                told = ", ".join(
                    f"{what} {numbers[contestant.name][-1]:,.4g}"
                    for what, numbers in found.items()
                    if contestant.name in numbers
                )
                print(f"   round {turn + 1}, {contestant.name}: {told}", flush=True)
    return rows(found, missing)


def _measure(contestant: Contestant, found: Measured, part: int) -> None:
    count = CHAINS.get(contestant.name, OTHERS_CHAINS) // part
    contestant.chains(20, contestant.at_once[0])  # warm
    found["chains/s"][contestant.name].append(
        max(count / contestant.chains(count, at_once) for at_once in contestant.at_once)
    )
    found["ms"][contestant.name].append(contestant.chains(ALONE, 1) / ALONE * 1000)
    if contestant.signals:
        signals = SIGNALS.get(contestant.name, OTHERS_SIGNALS) // part
        found["signals/s"][contestant.name].append(signals / contestant.send(signals))


def rows(found: Measured, missing: dict[str, str]) -> list[Row]:
    """Medians with their spread; ratios of rounds, so that both sides of each had the same minutes."""
    made = []
    for what, unit, title in (
        ("chains/s", "chains/s", "chains of four steps"),
        ("ms", "ms", "one chain alone"),
        ("signals/s", "signals/s", "signals to objects"),
    ):
        for name, numbers in found[what].items():
            made.append(Row("peers", f"{name}: {title} ({_spread(numbers)})", statistics.median(numbers), unit))
    for what, ours, theirs, target in (
        ("chains/s", NORMAL, DBOS, 12), ("chains/s", NORMAL, RESTATE, 3), ("chains/s", FULL, RESTATE, 1),
        ("chains/s", NORMAL, "durabletask in memory", None), ("signals/s", NORMAL, RESTATE, None),
    ):  # fmt: skip
        pairs = list(zip(found[what][ours], found[what][theirs], strict=False))
        if pairs:
            ratios = [mine / other for mine, other in pairs]
            title = f"{what}: {ours} against {theirs} ({_spread(ratios)})"
            made.append(Row("peers", title, statistics.median(ratios), "x", target))
    for what, target in (("chains/s", 1_000), ("signals/s", 20_000)):
        if found[what][NORMAL]:
            made.append(Row("peers", f"{NORMAL}: {what}", statistics.median(found[what][NORMAL]), what, target))
    made += [Row("peers", f"{name}: left out, {reason}", 0, "") for name, reason in missing.items()]
    return made


def _spread(numbers: Sequence[float]) -> str:
    return f"{number(min(numbers))} to {number(max(numbers))} in {len(numbers)}"
