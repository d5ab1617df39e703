"""The peers: what cannot be installed is told and left out, and ratios are of the same rounds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.peers import DBOS, FULL, NORMAL, RESTATE, installing
from benchmarks.peers.installing import NotInstalled


class Fake:
    """Takes so many seconds for a chain, or cannot be installed (None). Only ours knows signals."""

    at_once: tuple[int, ...] = (2, 4)

    def __init__(self, name: str, seconds: Callable[[int], float] | None) -> None:
        self.name = name
        self.signals = name == NORMAL
        self.started = 0
        self._seconds = seconds

    def start(self, folder: Path) -> None:
        assert list(folder.iterdir()) == []
        if self._seconds is None:
            raise NotInstalled("no network")
        self.started += 1

    def chains(self, count: int, at_once: int) -> float:
        assert self._seconds is not None
        return count * self._seconds(at_once) * self.started

    def send(self, count: int) -> float:
        return count / 50

    def stop(self) -> None:
        pass


def test_the_fastest_way_counts_and_ratios_are_of_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = Fake(NORMAL, lambda _: 0.001), Fake(DBOS, lambda at_once: 0.01 * at_once)
    monkeypatch.setattr(peers, "CONTESTANTS", (ours, theirs, Fake(RESTATE, None)))
    found = {row.what: row for row in peers.measure(quick=False)}
    # Each round is slower than the one before: the ratio stays what it was.
    ratio = next(row for what, row in found.items() if what.startswith(f"chains/s: {NORMAL} against {DBOS}"))
    assert ratio.value == pytest.approx(20)
    assert ratio.what.endswith("(20.00 to 20.00 in 5)")
    assert ratio.reached
    median = next(row for what, row in found.items() if what.startswith(f"{NORMAL}: chains of four steps"))
    assert median.value == pytest.approx(1000 / 3)
    assert f"{RESTATE}: left out, no network" in found
    assert not any(FULL in what for what in found)


def test_what_is_installed_is_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        (tmp_path / "venv").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(installing, "FOLDER", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    installing.install_python()
    assert len(ran) == 2
    installing.install_python()
    assert len(ran) == 2


def test_why_it_cannot_be_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "FOLDER", tmp_path)
    failed = subprocess.CompletedProcess((), 1, "", "ERROR: no matching distribution")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(NotInstalled, match="no matching distribution"):
        installing.install_python()


def test_rounds_are_at_least_five() -> None:
    assert peers.ROUNDS >= 5
    assert {one.name for one in peers.CONTESTANTS} >= {NORMAL, FULL, DBOS, RESTATE}
