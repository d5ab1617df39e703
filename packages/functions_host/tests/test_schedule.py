from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from functions_host.errors import StartError
from functions_host.timers.schedule import parse_schedule

START = datetime(2026, 1, 30, 10, 29, 58, 500_000, tzinfo=timezone.utc)  # a Friday


def upcoming(expression: str, count: int = 3) -> list[str]:
    schedule, moment, found = parse_schedule(expression, "f"), START, []
    for _ in range(count):
        moment = schedule.after(moment)
        found.append(moment.strftime("%m-%d %H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/15 * * * * *", ["01-30 10:30:00", "01-30 10:30:15", "01-30 10:30:30"]),
        ("0 */5 * * * *", ["01-30 10:30:00", "01-30 10:35:00", "01-30 10:40:00"]),
        ("0 0 */6 * * *", ["01-30 12:00:00", "01-30 18:00:00", "01-31 00:00:00"]),
        ("30 9 * * *", ["01-31 09:30:00", "02-01 09:30:00", "02-02 09:30:00"]),
        ("0 0 8-10 * * MON-FRI", ["02-02 08:00:00", "02-02 09:00:00", "02-02 10:00:00"]),
        ("0 0 0 * * sunday", ["02-01 00:00:00", "02-08 00:00:00", "02-15 00:00:00"]),
        ("0 0 0 1,15 March,june *", ["03-01 00:00:00", "03-15 00:00:00", "06-01 00:00:00"]),
        ("59 29 10 30 1 *", ["01-30 10:29:59", "01-30 10:29:59", "01-30 10:29:59"]),
        ("00:00:10", ["01-30 10:30:08", "01-30 10:30:18", "01-30 10:30:28"]),
        ("1.00:00:00", ["01-31 10:29:58", "02-01 10:29:58", "02-02 10:29:58"]),
    ],
)
def test_occurrences(expression: str, expected: list[str]) -> None:
    assert upcoming(expression) == expected


def test_day_and_weekday_must_both_fit() -> None:
    # Cron would take either; the real host fires on a Friday the 13th only.
    schedule = parse_schedule("0 0 0 13 * FRI", "f")
    first = schedule.after(START)
    assert (first, schedule.after(first)) == (
        datetime(2026, 2, 13, tzinfo=timezone.utc),
        datetime(2026, 3, 13, tzinfo=timezone.utc),
    )


def test_a_time_zone_moves_the_occurrences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_TIME_ZONE", "Europe/Berlin")
    assert upcoming("0 0 9 * 7 *", 1) == ["07-01 07:00:00"]
    monkeypatch.setenv("WEBSITE_TIME_ZONE", "Nowhere/Here")
    with pytest.raises(StartError, match="Nowhere/Here"):
        parse_schedule("0 0 9 * * *", "f")


def test_a_setting_holds_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERY", "0 */5 * * * *")
    assert upcoming("%EVERY%", 1) == ["01-30 10:30:00"]


@pytest.mark.parametrize(
    "expression", ["", "* *", "61 * * * * *", "0 0 0 32 1 *", "x * * * * *", "00:00:00", "0 0 0 * * 9"]
)
def test_a_bad_schedule_is_refused_with_the_functions_name(expression: str) -> None:
    with pytest.raises(StartError, match="function 'nightly'"):
        parse_schedule(expression, "nightly")


@pytest.mark.parametrize(
    ("expression", "shorter"),
    [
        ("*/30 * * * * *", True),
        ("0 * * * * *", False),
        ("00:00:59", True),
        ("00:01:00", False),
        ("0,30 0 * * * *", True),
    ],
)
def test_schedules_under_a_minute_are_recognised(expression: str, shorter: bool) -> None:
    assert parse_schedule(expression, "f").is_shorter_than(timedelta(minutes=1), START) is shorter
