"""Parameters that several routes share."""

from __future__ import annotations

from urllib.parse import quote

import azure.functions as func
import pytest

from http_api.parameters import instant, read_parameters, text
from http_api.problem import Problem


@pytest.mark.parametrize("value", ["a", "é\u00a0ü", "👩‍🚀", "x" * 256, "a b"])
def test_any_text_that_people_write_is_text(value: str) -> None:
    assert text().parse(value) == value


@pytest.mark.parametrize("value", ["", "x" * 257, "a\nb", "\x00", "\x7f", "\x85"])
def test_control_characters_and_endless_text_are_not(value: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        text().parse(value)


def test_a_text_of_several_lines_may_be_asked_for() -> None:
    assert text(lines=True).parse("one\n\ttwo") == "one\n\ttwo"
    with pytest.raises(ValueError, match=r"^"):
        text(lines=True).parse("\x1b[2J")


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02t03:04:05.123456789z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000000Z"),
        ("2026-01-02T03:04:05 01:00", "2026-01-02T02:04:05.000000Z"),
        ("2026-01-02T03:04:05 0100", "2026-01-02T02:04:05.000000Z"),
        ("2026-01-02 03:04:05.5 01", "2026-01-02T02:04:05.500000Z"),
        ("2026-01-02 03:04:05Z", "2026-01-02T03:04:05.000000Z"),
    ],
)
def test_times_with_any_offset_become_utc(value: str, canonical: str) -> None:
    assert instant().parse(value) == canonical


def test_a_host_that_gives_parameters_only_as_a_mapping_is_understood() -> None:
    request = func.HttpRequest("GET", "http://localhost/api/x", params={"zone": "a", "code": "key"}, body=b"")
    assert read_parameters(request, {"zone": text()}) == {"zone": "a"}


def test_a_value_of_any_length_is_shown_shortened() -> None:
    url = "http://localhost/api/x?zone=" + quote("x" * 10_000)
    with pytest.raises(Problem) as raised:
        read_parameters(func.HttpRequest("GET", url, body=b""), {"zone": text()})
    assert len(raised.value.response().get_body()) < 2000
