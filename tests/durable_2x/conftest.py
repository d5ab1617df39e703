"""A store, an engine and a host for each test; nothing here is imported where Durable 2.x is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import settings
import storage.factory
from storage.sqlite import SqliteStore


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStore]:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    settings.get_settings.cache_clear()
    opened = SqliteStore(tmp_path)
    await opened.open()
    monkeypatch.setattr(storage.factory, "_store", opened)
    yield opened
    await opened.close()
    settings.get_settings.cache_clear()


@pytest.fixture
async def host(store: SqliteStore) -> AsyncIterator[Any]:
    """Does not serve work items yet: ``async with host.running()``."""
    from durable_sdk.v2 import close_clients
    from tests.support.host_2x import Backend, Host

    backend = Backend()
    host = Host(backend.start(), backend)
    yield host
    await close_clients()
    await host.client.close()
    backend.stop()


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries as ever, without the seconds between them."""
    import azure.durable_functions as df

    import orchestrators.process_batch as module

    monkeypatch.setattr(module, "RETRY", df.RetryOptions(10, module.RETRY.max_number_of_attempts))
