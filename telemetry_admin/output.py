"""What a person sees: tables, single records, progress; or JSON for programs.

Everything that came from a device or an error text is made printable first: a terminal obeys escape sequences.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, TypeVar

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

T = TypeVar("T")

# Rows that go to a file or another program are never cut or folded.
_UNLIMITED = 100_000
WORKERS = 8


def printable(value: Any) -> str:
    """A value as one line of text that no terminal takes for a command."""
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class Output:
    """``as_lines``: each JSON document on a line of its own."""

    def __init__(self, *, as_json: bool, as_lines: bool = False) -> None:
        self.as_json = as_json
        self._indent = None if as_lines else 2
        self.console = self._console(sys.stdout)
        self._err = self._console(sys.stderr)

    @property
    def on_terminal(self) -> bool:
        return self.console.is_terminal

    def json(self, value: Any) -> None:
        sys.stdout.write(json.dumps(value, indent=self._indent) + "\n")
        sys.stdout.flush()

    def line(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)

    def error(self, text: str) -> None:
        self._err.print(Text(f"telemetry_admin: {printable(text)}", style="bold red"), soft_wrap=True)

    def note(self, text: str) -> None:
        """Besides the result: to stderr."""
        self._err.print(Text(printable(text), style="dim"), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for column in columns:
            # Ids are copied from here: rather a second line than a cut.
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(value)) for value in row))
        if table.row_count:
            self.console.print(table)
        else:
            self.line(empty)

    def record(self, fields: Mapping[str, Any]) -> None:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in fields.items():
            table.add_row(name, Text(printable(value)))
        self.console.print(table)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int, str], None]]:
        """A line on stderr while something goes on; call it with (how many are done, what to say of it)."""
        shown = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self._err,
            disable=not self._err.is_terminal,
        )
        with shown:
            task: TaskID = shown.add_task(what, total=total, note="")
            yield lambda done, note: shown.update(task, completed=done, note=note)

    @staticmethod
    def _console(stream: Any) -> Console:
        console = Console(file=stream, markup=False, highlight=False, emoji=False)
        if not console.is_terminal:
            console.width = _UNLIMITED
        return console


def each(items: Sequence[T], work: Callable[[T], Any]) -> Iterator[tuple[T, Any]]:
    """Does ``work`` on all items, some at a time; (item, result or the exception it raised) as they end."""
    with ThreadPoolExecutor(WORKERS) as pool:
        running: dict[Future[Any], T] = {pool.submit(work, item): item for item in items}
        for future in as_completed(running):
            error = future.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            yield running[future], error if error is not None else future.result()
