"""The collector looks seldom, where the app has not said how often."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from functions_host import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    gc.set_threshold(*garbage._DEFAULT)
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_a_batch_does_not_start_the_collector() -> None:
    garbage.settle()
    runs: list[str] = []
    gc.callbacks.append(lambda phase, _: runs.append(phase))
    try:
        kept = [{"number": [number]} for number in range(5_000)]
    finally:
        gc.callbacks.pop()
    assert len(kept) == 5_000
    assert runs == []


def test_cycles_are_still_found() -> None:
    garbage.settle()
    before = len(gc.get_objects())
    for _ in range(60_000):
        cycle: list[object] = []
        cycle.append(cycle)
    assert len(gc.get_objects()) - before < 30_000


def test_what_the_app_asked_for_stays() -> None:
    gc.set_threshold(1_234, 5, 6)
    garbage.settle()
    assert gc.get_threshold() == (1_234, 5, 6)
