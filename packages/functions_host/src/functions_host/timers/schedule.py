"""NCRONTAB expressions (five or six fields, the first of six are seconds) and constant intervals (a TimeSpan)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from functions_host.errors import StartError
from functions_host.settings import parse_timespan, resolve


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires. `interval` is set for constant schedules, else `fields` are the six NCRONTAB fields."""

    text: str
    fields: tuple[str, ...] = ()
    interval: timedelta | None = None
    zone: tzinfo = timezone.utc

    def after(self, moment: datetime) -> datetime:
        """The first occurrence after `moment` (aware), in UTC."""
        if self.interval is not None:
            return (moment + self.interval).astimezone(timezone.utc)
        return next(self._occurrences(moment)).astimezone(timezone.utc)

    def is_shorter_than(self, limit: timedelta, moment: datetime) -> bool:
        """Whether two occurrences ever come closer than `limit` (looked at from `moment` on)."""
        if self.interval is not None:
            return self.interval < limit
        occurrences = self._occurrences(moment)
        seen = [next(occurrences) for _ in range(5)]
        return any(later - sooner < limit for sooner, later in pairwise(seen))

    def _occurrences(self, moment: datetime) -> Iterator[datetime]:
        # Cron fires when day of month OR day of week fits, NCRONTAB only when both do: let cron go through the days
        # of the month, and keep those whose weekday fits.
        *head, weekday = self.fields
        local = moment.astimezone(self.zone)
        weekdays = _weekdays(weekday)
        for occurrence in CronSim(" ".join([*head, "*"]), local):
            if weekdays is None or occurrence.isoweekday() % 7 in weekdays:
                yield occurrence


def parse_schedule(expression: str, function: str) -> Schedule:
    """Read a timer trigger's schedule, %SETTING% included. StartError names the function.

    Times are UTC unless WEBSITE_TIME_ZONE names an IANA zone.
    """
    where = f"function {function!r}"
    text = resolve(str(expression), where).strip()
    if re.fullmatch(r"[\d.:]+", text) and ":" in text:
        interval = timedelta(seconds=parse_timespan(text, f"{where} schedule"))
        if interval <= timedelta(0):
            raise StartError(f"{where}: a schedule of {text!r} would fire without end")
        return Schedule(text, interval=interval)
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise StartError(f"{where}: {text!r} is no NCRONTAB expression (six fields, the first one seconds)")
    fields = [_numbered(field) for field in fields]
    schedule = Schedule(text, fields=tuple(fields), zone=_zone(where))
    try:
        schedule.after(datetime.now(timezone.utc))
    except (CronSimError, StopIteration) as error:
        raise StartError(f"{where}: {text!r} is no NCRONTAB expression: {error}") from None
    return schedule


def _numbered(field: str) -> str:
    """NCRONTAB takes full names of months and days in any case; cron knows the short ones."""
    return re.sub(r"[A-Za-z]{3,}", lambda match: match.group()[:3].upper(), field)


def _weekdays(field: str) -> set[int] | None:
    if field == "*":
        return None
    # The parsed form of a weekday field is not public: ask for one week of days that fit it.
    week = CronSim(f"0 0 * * {field}", datetime(2023, 12, 31, 23, 59, tzinfo=timezone.utc) - timedelta(days=1))
    found: set[int] = set()
    end = datetime(2024, 1, 7, tzinfo=timezone.utc)
    for day in week:
        if day >= end:
            break
        found.add(day.isoweekday() % 7)
    return found


def _zone(where: str) -> tzinfo:
    name = os.environ.get("WEBSITE_TIME_ZONE")
    if not name:
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise StartError(f"{where}: WEBSITE_TIME_ZONE {name!r} is no known time zone (IANA name)") from None
