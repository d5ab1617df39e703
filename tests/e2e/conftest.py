"""The real host with the real app as child processes on loopback, on free ports; nothing of it outlives its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.local_host import LocalHost


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """One host for the tests of a module; they keep apart by device ids."""
    given = request.config.getoption("--host-url")
    if given:
        other = LocalHost(tmp_path_factory.mktemp("host") / "data")
        other.url = given[0].rstrip("/")
        other.connection = request.config.getoption("--event-hub-connection") or pytest.skip(
            "--host-url needs --event-hub-connection"
        )
        yield other
        return
    with LocalHost(tmp_path_factory.mktemp("host") / "data") as running:
        yield running


@pytest.fixture
def own_host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalHost]:
    """A host that one test may kill, stop and start as it likes; started by the test."""
    if request.config.getoption("--host-url"):
        pytest.skip("kills its host, so it needs one of its own")
    own = LocalHost(tmp_path / "data")
    try:
        yield own
    finally:
        if own.process is not None:
            own.stop()
