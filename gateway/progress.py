"""A bar for what has an end, on a terminal; lines everywhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


class Progress:
    """Use as a context manager; ``start`` shows the bar, ``line`` writes above it."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self) -> None:
        if not sys.stderr.isatty():
            return
        try:
            from rich.console import Console
            from rich.progress import Progress as Bar
        except ImportError:
            return  # the lines tell as much
        self._bar = Bar(console=Console(stderr=True))
        self._task = self._bar.add_task("sending", total=1.0)
        self._bar.start()

    def done(self, fraction: float) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=fraction)

    def line(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)  # noqa: T201
