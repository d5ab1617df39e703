"""When a log's rows were written: their columns have a second's resolution, local time, or both."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from gateway.files import Options, UnreadableFile
from gateway.files.units import number

Columns = Mapping[str, "tuple[int, str | None, str]"]
"""By name in lower case: index, unit, the column as written."""

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?\s*([AaPp][Mm])?")


@dataclass(frozen=True)
class TimeColumns:
    """Index of the column with date and clock (or date alone, then the clock's), whether they are UTC, and of the
    column that counts milliseconds or seconds from the start, with what makes it seconds."""

    date: int
    clock: int | None
    utc: bool
    elapsed: int | None = None
    elapsed_scale: float = 1.0


def columns_of_time(columns: Columns) -> TimeColumns | None:
    """Which columns tell the time; None when none does."""
    if "datetime" in columns:
        index, unit, _ = columns["datetime"]
        elapsed = columns.get("time")
        is_count = elapsed is not None and elapsed[1] in ("millisecond", "milliseconds", "ms")
        return TimeColumns(index, None, unit == "utc", elapsed[0] if elapsed and is_count else None, 1e-3)
    clock = columns.get("custom.updatetime")
    if clock is None:
        return None
    date, flown = columns.get("custom.date"), columns.get("osd.flytime")
    counter = flown[0] if flown and flown[1] == "s" else None
    return TimeColumns((date or clock)[0], clock[0] if date else None, clock[1] in ("utc", "gmt"), counter)


@dataclass
class Times:
    """``learn`` every row first, then ask for each row's ``moment``."""

    columns: TimeColumns
    offset: timedelta
    day_first: bool
    _start: float = field(default=-math.inf)

    @classmethod
    def of(cls, columns: TimeColumns | None, options: Options, place: str) -> Times:
        """Raises UnreadableFile when nothing tells the time, or only a clock nobody knows the zone of."""
        if columns is None:
            raise UnreadableFile(f"{place} has no column for date and time")
        if not columns.utc and options.utc_offset_minutes is None:
            raise UnreadableFile(
                f"{place} tells local time, and not of which place: say it with --utc-offset, as in --utc-offset +02:00"
            )
        minutes = 0 if columns.utc else options.utc_offset_minutes or 0
        return cls(columns, timedelta(minutes=minutes), options.day_first)

    def learn(self, cells: list[str]) -> None:
        """A clock that shows whole seconds and a counter of milliseconds together tell the start exactly: it is the
        latest that no row's clock contradicts."""
        elapsed = self._elapsed(cells)
        moment = self._moment(cells)
        if elapsed is not None and moment is not None:
            self._start = max(self._start, moment - elapsed)

    def moment(self, cells: list[str]) -> float | None:
        """Seconds since the epoch; None for a row that tells no time."""
        moment = self._moment(cells)
        elapsed = self._elapsed(cells)
        if moment is None or elapsed is None or moment % 1:
            return moment  # a clock that shows fractions needs no counter
        exact = self._start + elapsed
        # Where the counter jumps away from the clock, the clock is right.
        return exact if 0 <= exact - moment < 1.0 else moment

    def _elapsed(self, cells: list[str]) -> float | None:
        index = self.columns.elapsed
        value = number(cells[index]) if index is not None and index < len(cells) else None
        return None if value is None else value * self.columns.elapsed_scale

    def _moment(self, cells: list[str]) -> float | None:
        columns = self.columns
        indices = [columns.date] if columns.clock is None else [columns.date, columns.clock]
        if max(indices) >= len(cells):
            return None
        return _seconds(" ".join(cells[index] for index in indices), self.day_first, self.offset)


def _seconds(text: str, day_first: bool, offset: timedelta) -> float | None:
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    if date := _YEAR_FIRST.search(text):
        year, month, day = (int(part) for part in date.groups())
    elif date := _YEAR_LAST.search(text):
        first, second, year = (int(part) for part in date.groups())
        month, day = (second, first) if day_first else (first, second)
    else:
        return None
    hour, minute, second_ = (int(part) for part in clock.group(1, 2, 3))
    if half := clock.group(5):
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    try:
        moment = datetime(year, month, day, hour, minute, second_, tzinfo=timezone.utc) - offset
    except (ValueError, OverflowError):
        return None
    return moment.timestamp() + float(f"0.{clock.group(4) or 0}")
