"""The shape of a result, the table a person reads and the file a program reads."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Row:
    """One measured number. ``target`` is the number to reach (None where there is none), ``at_least`` its direction."""

    measurement: str
    what: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = True

    @property
    def reached(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = f"{os.cpu_count()} cores{_processor()}"
    return f"{cores}, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    """Its name in brackets, where the system says so."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f" ({names[0]})" if names else ""


def table(rows: Sequence[Row]) -> str:
    lines = ["| measurement | what | value | to reach | |", "|---|---|---:|---:|---|"]
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        target = "" if row.target is None else f"{sign} {row.target:,g} {row.unit}"
        verdict = {None: "", True: "reached", False: "**not reached**"}[row.reached]
        lines.append(f"| {row.measurement} | {row.what} | {number(row.value)} {row.unit} | {target} | {verdict} |")
    return "\n".join(lines)


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def write(rows: Sequence[Row]) -> Path:
    """Merges the rows into latest.json: a measurement that ran again replaces its rows of before, the others stay."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    fresh = {row.measurement for row in rows}
    kept = []
    if path.exists():
        kept = [row for row in json.loads(path.read_text())["rows"] if row["measurement"] not in fresh]
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    new = [{**asdict(row), "reached": row.reached, "at": at} for row in rows]
    path.write_text(
        json.dumps({"machine": machine(), "command": " ".join(sys.argv), "rows": kept + new}, indent=1) + "\n"
    )
    return path
