"""One suite, every adapter: the ``store`` fixture is each of them in turn, open and empty."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pipeline.ports import Store
from storage.sqlite import SqliteStore
from tests.support.azure_stores import azure_store
from tests.support.servers.azure_servers import AzureServers, ServersUnavailable, azure_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[AzureServers]:
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(azure_servers())
        except ServersUnavailable as reason:
            pytest.skip(str(reason))
        yield running


@pytest.fixture(params=["sqlite", "azure"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path)
        await opened.open()
        yield opened
        await opened.close()
        return
    async with azure_store(request.getfixturevalue("servers")) as azure:
        yield azure
