"""Hosts for the conformance suite: our own, or whichever --host-url names (a real ``func start``, say)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from host_support import HostProcess


@pytest.fixture(scope="session")
def base_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Gives the URL of the host that runs an app of tests/apps; each app is started once for the whole session."""
    given = dict(pair.split("=", 1) for pair in request.config.getoption("--host-url"))
    started: dict[str, HostProcess] = {}

    def url_of(app: str) -> str:
        if given:
            if app not in given:
                pytest.skip(f"no --host-url {app}=… was given")
            return given[app].rstrip("/")
        if app not in started:
            folder: Path = tmp_path_factory.mktemp(app)
            started[app] = HostProcess(app, folder / "data")
            started[app].start()
        return started[app].url

    yield url_of
    for process in started.values():
        process.stop()


@pytest.fixture(scope="session")
def is_ours(request: pytest.FixtureRequest) -> bool:
    """Whether our own host is judged: a few answers are this host's choice."""
    return not request.config.getoption("--host-url")
