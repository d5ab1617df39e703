from __future__ import annotations

import pytest

from benchmarks.throughput import STEP, Sustained, largest


@pytest.mark.parametrize("first", [1, 4, 5, 9])
def test_the_largest_rate_is_found_from_below_and_from_above(first: int) -> None:
    def step(rate: int) -> tuple[bool, float]:
        return rate <= 4 * STEP, rate / STEP

    assert largest(first * STEP, step) == Sustained(4.0 * STEP, cores=5)


def test_nothing_that_is_sustained_is_nothing() -> None:
    assert largest(3 * STEP, lambda rate: (False, 1.0)).rate == 0
