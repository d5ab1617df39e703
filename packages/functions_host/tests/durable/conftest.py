from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

# The suite runs with --import-mode=importlib, which does not put test folders on the path.
sys.path.insert(0, str(Path(__file__).parent))

from durable_support import Host
from functions_host.durable import DurableOptions


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Starts engines over an app, in one data folder; `await host(app)` again goes on where the last one stood."""
    made: list[Host] = []

    async def make(app: Any, options: DurableOptions | None = None, **settings: Any) -> Host:
        made.append(Host(app, tmp_path, options or DurableOptions(hub_name="Golden"), **settings))
        await made[-1].start()
        return made[-1]

    yield make
    for one in made:
        await one.stop()
