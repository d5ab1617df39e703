"""Options of the end-to-end tests: they judge a host of their own, or one that runs already. The order of the files."""

from __future__ import annotations

import contextlib

import pytest

from tests.support.order import longest_first


def pytest_addoption(parser: pytest.Parser) -> None:
    # The local host's own suite, run together with this one, has the first option too.
    with contextlib.suppress(ValueError):
        parser.addoption(
            "--host-url",
            action="append",
            default=[],
            metavar="URL",
            help="judge the host that runs there (func start, or the app in Azure) instead of starting our own",
        )
    parser.addoption("--event-hub-connection", metavar="STRING", help="where that host's drones send to")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = longest_first(items, lambda item: item.nodeid.partition("::")[0], waits)


def waits(item: pytest.Item) -> bool:
    """Whether it starts processes, or a browser, and so takes seconds."""
    return item.get_closest_marker("e2e") is not None or item.nodeid.startswith("tests/browser/")
