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
    assert times.from_microseconds(times.microseconds(canonical)) == canonical


@given(st.integers(10**11, 253_402_300_799_999))
def test_epoch_milliseconds(milliseconds: int) -> None:
    expected = milliseconds * 1000
    assert times.epoch_microseconds(times.from_epoch(milliseconds)) == expected
    assert times.epoch_microseconds(times.from_epoch(float(milliseconds))) == expected


@given(st.integers(-62_135_596_800, 10**11 - 1))
def test_epoch_seconds(seconds: int) -> None:
    assert times.epoch_microseconds(times.from_epoch(seconds)) == seconds * 1_000_000


@pytest.mark.parametrize(
    ("number", "canonical"),
    [
        (1767225600, "2026-01-01T00:00:00.000000Z"),
        (1767225600.25, "2026-01-01T00:00:00.250000Z"),
        (1767225600.1, "2026-01-01T00:00:00.100000Z"),
        (1767225600123.45, "2026-01-01T00:00:00.123450Z"),
        (1767225600123.4567, "2026-01-01T00:00:00.123456Z"),
        (-0.5, "1969-12-31T23:59:59.500000Z"),
        (99999999999, "5138-11-16T09:46:39.000000Z"),
        (100000000000, "1973-03-03T09:46:40.000000Z"),
    ],
)
def test_a_number_is_seconds_or_milliseconds_with_fractions(number: float, canonical: str) -> None:
    assert times.from_epoch(number) == canonical


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1767225600123456, "looks like microseconds"),
        (1767225600123456.0, "looks like microseconds"),
        (1767225600123456789, "looks like nanoseconds"),
        (253_402_300_800_000, "too large"),
        (10**30, "too large"),
        (1e300, "too large"),
        (-62_135_596_801, "0001 to 9999"),
        (-(10**30), "0001 to 9999"),
        (-1e300, "0001 to 9999"),
    ],
)
def test_a_number_that_is_no_time_is_told_what_it_looks_like(number: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        times.from_epoch(number)


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00+0000", "2026-03-01 12:00:00Z", "2026-03-01T12:00:00+00", "2026-03-01 13:00:00+0100"]
)
def test_what_senders_write_besides(text: str) -> None:
    assert times.parse_rfc3339(text) == "2026-03-01T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-01T12:00:00", "the offset is missing"),
        ("2026-03-01 12:00:00.5", "the offset is missing"),
        ("2026-03-01", "a date alone"),
        ("1767225600", "a number in quotes"),
        ("yesterday", "as in 2026-01-31T12:00:00.5Z"),
    ],
)
def test_the_error_says_what_was_probably_meant(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        times.parse_rfc3339(text)


@pytest.mark.parametrize("word", [True, None, [], "now", "", float("nan"), float("inf"), {}])
def test_a_word_that_is_no_time(word: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        times.from_word(word)


def test_a_word_of_a_gateway_may_lack_its_offset() -> None:
    assert times.from_word("2026-03-01T12:00:00.5") == "2026-03-01T12:00:00.500000Z"
    assert times.from_word(1772366400) == "2026-03-01T12:00:00.000000Z"


@given(st.datetimes(), st.datetimes())
def test_canonical_text_sorts_as_time(a: datetime, b: datetime) -> None:
    first, second = (times.from_datetime(moment.replace(tzinfo=timezone.utc)) for moment in (a, b))
    assert (first < second) == (a < b)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        times.from_datetime(datetime(2026, 1, 1))


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
