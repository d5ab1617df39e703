"""One browser a file; each test a fresh page that is held to what every page is held to."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import OpenPage, Watch, launched, unusable
from tests.support.stub_api import StubApi

expect.set_options(timeout=30_000)  # a busy machine is no failure of the page


# Not for the whole session: playwright's event loop runs as long as the browser, and no asyncio test could beside it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    reason = unusable()
    if reason is not None:
        pytest.skip(reason)
    with launched() as running:
        yield running


@pytest.fixture
def watch_console() -> list[str]:
    """Texts of console errors that a test provokes; it adds them here."""
    return []


@pytest.fixture
def open_page(browser: Browser, watch_console: list[str]) -> Iterator[OpenPage]:
    """``open_page(url, **context options)``. Afterwards: no error on the console, and no request to another host."""
    opened: list[tuple[Watch, str]] = []
    contexts = []

    def make(url: str, **options: object) -> Page:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(30_000)
        parts = urlsplit(url)
        opened.append((Watch(context), f"{parts.scheme}://{parts.netloc}/"))
        page = context.new_page()
        page.goto(url)
        return page

    yield make
    for context in contexts:
        context.close()
    for watch, origin in opened:
        watch.expected = tuple(watch_console)
        assert watch.unexpected() == []
        assert watch.foreign(origin) == []
        assert watch.requests


@pytest.fixture
def stub() -> Iterator[StubApi]:
    api = StubApi()
    yield api
    api.stop()
