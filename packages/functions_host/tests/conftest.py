from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The suite runs with --import-mode=importlib, which does not put test folders on the path.
sys.path.insert(0, str(Path(__file__).parent))

from host_support import HostProcess


def pytest_addoption(parser: pytest.Parser) -> None:
    # A larger suite that this one is a part of may have the option already.
    with contextlib.suppress(ValueError):
        parser.addoption(
            "--host-url",
            action="append",
            default=[],
            metavar="APP=URL",
            help="judge hosts that run already (func start) instead of starting our own: web=http://localhost:7071 …",
        )


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[..., HostProcess]]:
    """Makes hosts (not started yet) and ends them with the test."""
    made: list[HostProcess] = []

    def make(app: str | Path, *arguments: str, env: dict[str, str] | None = None, data: str = "data") -> HostProcess:
        made.append(HostProcess(app, tmp_path / data, *arguments, env=env))
        return made[-1]

    yield make
    for process in made:
        process.kill()
