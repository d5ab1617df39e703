"""Whole ASGI and WSGI apps behind one function."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from host_support import http

pytestmark = pytest.mark.e2e


def test_an_asgi_app_with_its_lifespan(base_url: Callable[[str], str]) -> None:
    answer = http("POST", f"{base_url('asgi')}/any/path?q=1", b"hello")
    assert answer.status == 202
    assert answer.headers["x-asgi"] == "yes"
    assert answer.json() == {
        "path": "/any/path",
        "query": "q=1",
        "method": "POST",
        "body": "hello",
        "started": True,
        "function": "http_app_func",
    }
    assert http("GET", f"{base_url('asgi')}/").json()["path"] == "/"


def test_a_wsgi_app(base_url: Callable[[str], str]) -> None:
    answer = http("POST", f"{base_url('wsgi')}/any/path?q=1", b"hello")
    assert (answer.status, answer.headers["x-wsgi"]) == (201, "yes")
    assert answer.json() == {"path": "/any/path", "query": "q=1", "body": "hello"}
