from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ports import InvalidContinuation
from storage.continuation import decode, encode, query_digest

QUERY = query_digest("history", "drone-1", None, True)


@given(st.text(), st.text())
def test_a_key_comes_back(first: str, second: str) -> None:
    try:
        token = encode(QUERY, first, second)
    except TypeError:  # lone surrogates are no text that a store holds
        return
    assert decode(QUERY, token, 2) == (first, second) or len(token) > 4096


def test_no_token_is_the_first_page() -> None:
    assert decode(QUERY, None, 2) is None


def test_a_token_is_safe_in_a_url() -> None:
    token = encode(QUERY, "2026-03-01T00:00:00.000000Z", "a/b?c=d&é")
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


@pytest.mark.parametrize(
    "parameters",
    [("drone-2", None, True), ("drone-1", "", True), ("drone-1", None, False), ("drone-1", None), ()],
)
def test_another_query_refuses_it(parameters: tuple[object, ...]) -> None:
    token = encode(QUERY, "a", "b")
    with pytest.raises(InvalidContinuation, match="continuation"):
        decode(query_digest("history", *parameters), token, 2)


def _raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "!",
        "ä",
        "A" * 5000,
        _raw(b"[]"),
        _raw(b"{}"),
        _raw(b"null"),
        _raw(b"not json"),
        _raw(f'["{QUERY}","a"]'.encode()),
        _raw(f'["{QUERY}","a","b","c"]'.encode()),
        _raw(f'["{QUERY}","a",1]'.encode()),
        _raw(f'["{QUERY}","a",null]'.encode()),
    ],
)
def test_what_we_did_not_write_is_refused(token: str) -> None:
    with pytest.raises(InvalidContinuation):
        decode(QUERY, token, 2)


@given(st.text(max_size=60))
def test_any_text_is_refused_or_ours(token: str) -> None:
    with pytest.raises(InvalidContinuation):
        decode(QUERY, token, 2)
