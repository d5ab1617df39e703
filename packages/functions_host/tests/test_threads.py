"""The threads that functions run in: as many as there are calls, up to the limit, and each call once or not at all."""

from __future__ import annotations

import gc
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from functions_host.worker.threads import Threads
from host_support import wait_for


class Work:
    """`hold` is what a call waits for."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.names: set[str] = set()
        self.ended: list[int] = []
        self.hold = threading.Event()

    def run(self, number: int, what: Any) -> None:
        self.began.append(number)
        self.names.add(threading.current_thread().name)
        if what == "hold":
            self.hold.wait(30)
        elif what == "exit":
            raise SystemExit
        self.ended.append(number)


Made = Callable[[int], Threads]


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.hold.set()


@pytest.fixture
def threads(work: Work) -> Iterator[Made]:
    made: list[Threads] = []

    def make(count: int) -> Threads:
        made.append(Threads(count, work.run))
        return made[-1]

    yield make
    work.hold.set()
    for one in made:
        one.close()


def test_each_call_that_blocks_leaves_a_thread_to_the_next_up_to_the_limit(threads: Made, work: Work) -> None:
    three = threads(3)
    for number in range(5):
        three.start(number, "hold")
    wait_for(lambda: len(work.began) == 3, "three to begin")
    time.sleep(0.02)
    assert sorted(work.began) == [0, 1, 2]
    work.hold.set()
    wait_for(lambda: len(work.ended) == 5, "all to end")
    assert work.names == {"function_0", "function_1", "function_2"}


def test_one_thread_serves_calls_that_come_one_after_another(threads: Made, work: Work) -> None:
    three = threads(3)
    for number in range(20):
        three.start(number, "go")
        wait_for(lambda number=number: number in work.ended and not three._unfinished, "its end")
    assert work.names == {"function_0"}


def test_what_is_taken_back_does_not_run_and_what_runs_is_not_taken_back(threads: Made, work: Work) -> None:
    one = threads(1)
    for number in range(3):
        one.start(number, "hold")
    wait_for(lambda: work.began == [0], "the first to begin")
    assert (one.take_back(0), one.take_back(1), one.take_back(1), one.take_back(9)) == (False, True, False, False)
    work.hold.set()
    wait_for(lambda: work.ended == [0, 2], "the others")
    assert not one.take_back(2)


def test_every_call_runs_or_is_taken_back_whoever_is_first(threads: Made, work: Work) -> None:
    some = threads(4)
    chance = random.Random(3)
    taken = []
    for number in range(3000):
        some.start(number, "go")
        if chance.random() < 0.5 and some.take_back(number):
            taken.append(number)
    wait_for(lambda: not some._unfinished, "the end of all")
    assert sorted(work.ended + taken) == list(range(3000))


def test_a_thread_outlives_what_a_call_raises(threads: Made, work: Work) -> None:
    one = threads(1)
    for number in range(3):
        one.start(number, "exit")
    one.start(3, "go")
    wait_for(lambda: work.ended == [3], "the last")
    assert work.names == {"function_0"}


def test_a_call_s_payload_is_gone_with_it(threads: Made, work: Work) -> None:
    class Payload:
        pass

    one, payload = threads(1), Payload()
    gone = weakref.ref(payload)
    one.start(1, payload)
    del payload
    wait_for(lambda: work.ended == [1] and gc.collect() is not None and gone() is None, "the payload's end")


def test_closed_threads_end_after_what_they_run(threads: Made, work: Work) -> None:
    one = threads(1)
    one.start(0, "hold")
    one.start(1, "go")
    wait_for(lambda: work.began == [0], "the first to begin")
    mine = next(thread for thread in threading.enumerate() if thread.name == "function_0" and not thread.daemon)
    one.close()
    assert mine.is_alive()
    work.hold.set()
    mine.join(30)
    assert (mine.is_alive(), work.ended) == (False, [0])
