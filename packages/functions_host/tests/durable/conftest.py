from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from functions_host.durable import DurableOptions

from .durable_support import Host


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
