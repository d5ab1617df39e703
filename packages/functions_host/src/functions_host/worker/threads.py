"""The threads that functions run in: a queue between the loop and them, and nothing that anybody could wait on.

An executor makes a future with a lock and a condition for every call, and takes several locks to hand it over. What
came of a call leaves the worker by its outbox: nobody here asks.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Work = tuple[Any, ...]


class Threads:
    """At most `count`, each started when all before it have something to do. `run` is given a call's work there.

    `start`, `take_back` and `close` belong to one thread, the loop's.
    """

    def __init__(self, count: int, run: Callable[..., None]) -> None:
        self._count = count
        self._run = run
        self._started = 0
        # By calls' numbers. Who takes one out of those that wait has it: the thread that runs it, or who took it back.
        self._waiting: dict[int, Work] = {}
        self._unfinished: dict[int, None] = {}
        self._numbers: SimpleQueue[int | None] = SimpleQueue()

    def start(self, number: int, *work: Any) -> None:
        self._unfinished[number] = None
        self._waiting[number] = work
        self._numbers.put(number)
        if self._started < self._count and len(self._unfinished) > self._started:
            # No daemon: threads that a function starts would be daemons too.
            threading.Thread(target=self._go, name=f"function_{self._started}").start()
            self._started += 1

    def take_back(self, number: int) -> bool:
        """Whether it had not begun, and will not."""
        if self._waiting.pop(number, None) is None:
            return False
        self._unfinished.pop(number, None)
        return True

    def close(self) -> None:
        """What waits is dropped; what runs is not waited for."""
        self._waiting.clear()
        for _ in range(self._started):
            self._numbers.put(None)

    def _go(self) -> None:
        is_open = True
        while is_open:
            # What an app raises in this thread from another ends the call, not the thread.
            with contextlib.suppress(BaseException):
                self._serve()
                is_open = False

    def _serve(self) -> None:
        while (number := self._numbers.get()) is not None:
            work = self._waiting.pop(number, None)
            if work is None:
                continue
            try:
                self._run(number, *work)
            finally:
                # What a call was about is not kept until the next.
                del work
                self._unfinished.pop(number, None)
