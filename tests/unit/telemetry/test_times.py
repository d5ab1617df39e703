from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry import times


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z"),
        ("2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00.500000Z"),
        ("2026-03-01T12:00:00.123456Z", "2026-03-01T12:00:00.123456Z"),
        ("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456Z"),
        ("2026-03-01t12:00:00z", "2026-03-01T12:00:00.000000Z"),
        ("2026-03-01T12:00:00+01:30", "2026-03-01T10:30:00.000000Z"),
        ("2026-03-01T00:00:00.25+00:01", "2026-02-28T23:59:00.250000Z"),
        ("2026-03-01T12:00:00-00:00", "2026-03-01T12:00:00.000000Z"),
        ("2026-12-31T23:00:00-02:00", "2027-01-01T01:00:00.000000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
        ("2026-01-31T00:00:00.000001Z", "2026-01-31T00:00:00.000001Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
        ("2016-12-31T15:59:60.7-08:00", "2017-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_rfc3339_becomes_canonical(text: str, canonical: str) -> None:
    assert times.parse_rfc3339(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01 12:00:00Z",
        "2026-03-01T12:00Z",
        "2026-3-01T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-03-00T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z",
        "2026-03-01T12:00:61Z",
        "2026-03-01T12:00:60Z",
        "2026-03-15T23:59:60Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00,5Z",
        "2026-03-01T12:00:00+0100",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+01:60",
        "2026-03-01T12:00:00ZZ",
        "2026-03-01T12:00:00Z\n",
        " 2026-03-01T12:00:00Z",
        "0000-03-01T12:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "２０２６-03-01T12:00:00Z",
        "1772366400000",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        times.parse_rfc3339(text)


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_every_moment_with_every_offset_is_read_as_that_moment(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    canonical = times.parse_rfc3339(moment.isoformat())
    assert times.to_datetime(canonical) == moment
    assert canonical == times.from_datetime(moment)
    assert times.parse_rfc3339(times.display(canonical)) == canonical


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_epoch_milliseconds(milliseconds: int) -> None:
    assert times.epoch_microseconds(times.from_epoch_ms(milliseconds)) == milliseconds * 1000


@pytest.mark.parametrize("milliseconds", [253_402_300_800_000, -62_135_596_800_001, 10**30, -(10**30)])
def test_milliseconds_outside_the_calendar_are_no_time(milliseconds: int) -> None:
    with pytest.raises(ValueError, match="0001 to 9999"):
        times.from_epoch_ms(milliseconds)


@given(st.datetimes(), st.datetimes())
def test_canonical_text_sorts_as_time(a: datetime, b: datetime) -> None:
    first, second = (times.from_datetime(moment.replace(tzinfo=timezone.utc)) for moment in (a, b))
    assert (first < second) == (a < b)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        times.from_datetime(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("canonical", "shown"),
    [
        ("2026-03-01T12:00:00.000000Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.120000Z", "2026-03-01T12:00:00.120Z"),
        ("2026-03-01T12:00:00.000001Z", "2026-03-01T12:00:00.000001Z"),
    ],
)
def test_display_is_the_shortest_lossless_form(canonical: str, shown: str) -> None:
    assert times.display(canonical) == shown


def test_arithmetic() -> None:
    assert times.add_seconds("2026-02-28T23:59:59.900000Z", 0.2) == "2026-03-01T00:00:00.100000Z"
    assert times.add_seconds("9999-12-31T23:59:59.900000Z", 300) == "9999-12-31T23:59:59.999999Z"
    assert times.add_seconds("0001-01-01T00:00:00.000000Z", -300) == "0001-01-01T00:00:00.000000Z"
    assert times.seconds_between("2026-03-01T00:00:00.000000Z", "2026-03-01T00:01:00.500000Z") == 60.5
    assert times.seconds_between("2026-03-01T00:01:00.500000Z", "2026-03-01T00:00:00.000000Z") == -60.5


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z", "now"])
def test_only_canonical_text_is_calculated_with(text: str) -> None:
    with pytest.raises(ValueError, match="canonical"):
        times.to_datetime(text)
