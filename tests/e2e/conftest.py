"""The real host with the real app as child processes on loopback, on free ports; nothing of it outlives its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.local_host import LocalHost


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """One host for the tests of a module; they keep apart by device ids."""
    with LocalHost(tmp_path_factory.mktemp("host") / "data") as running:
        yield running


@pytest.fixture
def own_host(tmp_path: Path) -> Iterator[LocalHost]:
    """A host that one test may kill, stop and start as it likes; started by the test."""
    own = LocalHost(tmp_path / "data")
    try:
        yield own
    finally:
        if own.process is not None:
            own.stop()
