"""docs/measurements.md: what a person wrote above the line, and below it the last run of each measurement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.report import Row, machine, table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "measurements.md"
LINE = "<!-- Written by `make bench` from here on, a section per measurement; a quick look writes nothing. -->"


def write(name: str, what: str, rows: Sequence[Row], page: Path = PAGE, *, of: str | None = None) -> None:
    """Put this measurement's section in the place of its last one, or at the end; ``of`` is when and where."""
    above, sections = read(page)
    at = of or f"{datetime.now(timezone.utc):%Y-%m-%d}, {machine()}"
    sections[name] = f"## {name}\n\n{what[:1].upper()}{what[1:]} ({at}).\n\n{table(rows)}\n"
    page.write_text(f"{above}{LINE}\n\n" + "\n".join(sections.values()))


def read(page: Path) -> tuple[str, dict[str, str]]:
    """What stands above the line, and the sections by name, in order. ValueError when there is no line."""
    above, line, below = page.read_text().partition(LINE)
    if not line:
        raise ValueError(f"{page} has no line {LINE!r}")
    parts = re.split(r"^## (\S+)\n", below, flags=re.M)
    return above, {name: f"## {name}\n{text.rstrip()}\n" for name, text in zip(parts[1::2], parts[2::2], strict=True)}
