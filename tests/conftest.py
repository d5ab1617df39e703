"""Options of the end-to-end tests: they judge a host of their own, or one that runs already."""

from __future__ import annotations

import contextlib

import pytest


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
