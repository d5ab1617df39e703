"""Set-Cookie, as it comes out of the real worker and host."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from functions_host.http.cookies import set_cookie


def written(header: str) -> list[str]:
    return [set_cookie(morsel) for morsel in SimpleCookie(header).values()]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "foo3=42; Domain=example.com; Expires=Thu, 12-Jan-2017 13:55:08 GMT; Path=/; Max-Age=10000000; "
            "Secure; HttpOnly",
            "foo3=42; expires=Thu, 12 Jan 2017 13:55:08 GMT; max-age=10000000; domain=example.com; path=/; secure; "
            "httponly",
        ),
        ("a=1", "a=1"),
        ("a=b==; Path=/x", "a=b%3D%3D; path=/x"),
        ('a="b c"; SameSite=Strict', "a=b%20c; samesite=strict"),
        ("a=1; SameSite=None; Secure", "a=1; secure; samesite=none"),
        ("a=1; Max-Age=0", "a=1; max-age=0"),
    ],
)
def test_cookies_are_put_in_order(given: str, expected: str) -> None:
    assert written(given) == [expected]


def test_an_expires_that_is_no_date_fails_the_function() -> None:
    with pytest.raises(ValueError, match="expires"):
        written("a=1; Expires=Thu, 99-Jan-2017 13:55:08 GMT")


def test_a_max_age_that_is_no_number_fails_the_function() -> None:
    with pytest.raises(TypeError, match=r"cookie\.maxAge"):
        written("a=1; Max-Age=soon")
