"""A page of memory that host and worker share, so that each can look at the other without asking.

A worker whose loop is blocked answers nothing. How far it came is written here as it goes: the number of the last call
it has taken up. And the host writes here which calls it has taken back meanwhile, which the worker reads before each.
"""

from __future__ import annotations

import mmap
import os
import tempfile

_BYTES = mmap.PAGESIZE


class Page:
    """Made by the host over a file without a name; the worker opens it by its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _BYTES)
        self._view = memoryview(self._memory)
        self._slots = self._view.cast("Q")

    @classmethod
    def make(cls) -> Page:
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("functions_host")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _BYTES)
        return cls(descriptor)

    @property
    def begun(self) -> int:
        """The number of the last call the worker has taken up."""
        return self._slots[0]

    @begun.setter
    def begun(self, number: int) -> None:
        self._slots[0] = number

    @property
    def handling(self) -> int:
        """The number of the orchestrator's or entity's call that is being run, 0 for none: one at a time."""
        return self._slots[3]

    @handling.setter
    def handling(self, number: int) -> None:
        self._slots[3] = number

    def take_back(self, after: int, to: int) -> None:
        """The calls numbered above `after`, up to `to`, are another worker's now."""
        self._slots[1], self._slots[2] = after, to

    def is_taken_back(self, number: int) -> bool:
        return self._slots[1] < number <= self._slots[2]

    def close(self) -> None:
        self._slots.release()
        self._view.release()
        self._memory.close()
        os.close(self.descriptor)
