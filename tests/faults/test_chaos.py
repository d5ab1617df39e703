"""Seeded chaos against the model; ``python -m tests.faults.chaos`` runs it for longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from tenacity import wait_none

from pipeline import intake
from tests.faults.chaos import Run


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake._QUICK_RETRIES, "wait", wait_none())


@pytest.mark.parametrize("signal_window", [0, 0.05], ids=["at once", "window"])
@pytest.mark.parametrize("seed", range(25))
async def test_whatever_happens_nothing_is_lost_and_nothing_twice(
    tmp_path: Path, seed: int, signal_window: float
) -> None:
    await Run(seed, tmp_path, signal_window=signal_window, in_memory=seed % 3 > 0).play()


async def test_the_chaos_is_one(tmp_path: Path) -> None:
    """Faults of every kind really happen, or the test above would prove nothing."""
    happened = await Run(1234, tmp_path, events=120, faults=0.05).play()
    assert all(happened[kind] > 3 for kind in ("before", "after", "crash")), happened
