"""What has come, what has not, and what is only on its way."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coverage import QUIET_SECONDS, Coverage, HubPartition, Range, Watch, add, count

RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)).map(lambda pair: (pair[0], pair[0] + pair[1])))


def numbers(ranges: list[Range]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(RANGES)
def test_ranges_hold_what_was_added_in_any_order(given_ranges: list[Range]) -> None:
    result: list[Range] = []
    for first, last in given_ranges:
        result = add(result, first, last)
    assert numbers(result) == numbers(given_ranges)
    assert count(result) == len(numbers(given_ranges))
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(result))
    shuffled: list[Range] = []
    for first, last in random.Random(1).sample(given_ranges, len(given_ranges)):
        shuffled = add(shuffled, first, last)
    assert shuffled == result


@given(RANGES, st.integers(0, 30), st.integers(-1, 50))
def test_missing_is_what_the_hub_holds_less_what_has_come(come: list[Range], oldest: int, newest: int) -> None:
    ranges: list[Range] = []
    for first, last in come:
        ranges = add(ranges, first, last)
    coverage = Coverage({("hub", "0"): tuple(ranges)})
    missing = coverage.missing("hub", "0", oldest, newest)
    assert numbers(missing) == set(range(oldest, newest + 1)) - numbers(come)
    assert all(first <= last for first, last in missing)


@pytest.mark.parametrize(
    ("ranges", "missing"),
    [((), []), (((50, 60),), [(61, 99)]), (((50, 60), (70, 99)), [(61, 69)])],
)
def test_a_store_that_is_older_than_this_takes_its_past_as_received(
    ranges: tuple[Range, ...], missing: list[Range]
) -> None:
    coverage = Coverage({("hub", "0"): ranges} if ranges else {}, adopted=True)
    assert coverage.missing("hub", "0", 10, 99) == missing


@pytest.mark.parametrize(
    ("ranges", "oldest", "gone"),
    [
        ((), 50, []),
        (((10, 19),), 20, []),
        (((10, 19),), 50, [(20, 49)]),
        (((10, 19), (30, 39)), 25, [(20, 24)]),
        (((10, 19), (30, 39), (60, 69)), 50, [(20, 29), (40, 49)]),
    ],
)
def test_what_retention_took_before_it_came_is_lost(ranges: tuple[Range, ...], oldest: int, gone: list[Range]) -> None:
    assert Coverage({("hub", "0"): ranges} if ranges else {}).expired("hub", "0", oldest) == gone


class Looks:
    def __init__(self) -> None:
        self.now = 1000.0
        self.watch = Watch(lambda: self.now)

    def __call__(self, come: tuple[Range, ...], newest: int) -> list[Range]:
        coverage = Coverage({("hub", "0"): come} if come else {})
        found = self.watch.look(coverage, "hub", [HubPartition("0", 0, newest)])
        return [one for part in found for one in part.ranges]


def test_a_hole_is_told_at_once_and_a_backlog_is_not() -> None:
    look = Looks()
    assert look(((0, 9),), 9) == []
    assert look(((0, 9),), 500) == []
    assert look(((0, 9), (20, 29)), 500) == [(10, 19)]
    look.now += QUIET_SECONDS - 1
    assert look(((0, 29),), 500) == []
    look.now += 1
    assert look(((0, 29),), 500) == [(30, 500)]
    assert look(((0, 39),), 500) == []  # it moved


def test_a_store_without_anything_is_told_once_the_trigger_had_its_time() -> None:
    look = Looks()
    assert look((), 99) == []
    look.now += QUIET_SECONDS
    assert look((), 99) == [(0, 99)]
    assert look((), -1) == []
    assert look(((50, 99),), 99) == [(0, 49)]
