"""JSON files that a command reads, and files that it writes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from telemetry_admin.output import Output


class BadDocument(Exception):
    """A file that is not what the command needs; the text names it."""


def read_json(name: str) -> Any:
    """The document in a file; ``-`` is what is piped in. Raises ``BadDocument``, or OSError."""
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return json.loads(data, parse_constant=_no_number)
    except ValueError as error:
        raise BadDocument(f"{name}: no JSON: {error}") from error
    except RecursionError as error:
        raise BadDocument(f"{name}: no JSON that this reads: it is nested too deeply") from error


def _no_number(constant: str) -> NoReturn:
    """NaN and the infinities: Python reads them, no service does."""
    raise ValueError(f"{constant} is no number of JSON")


def write_json(out: Output, name: str | None, document: Any) -> None:
    """To a file, or to stdout where none is named."""
    if name is None:
        out.json(document)
        return
    with whole_file(name) as path:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextmanager
def whole_file(name: str) -> Iterator[Path]:
    """A path beside ``name`` to write to: it takes the name when all has gone well, else it is removed."""
    path = Path(name)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
