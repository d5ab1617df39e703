"""One suite, every adapter: the ``store`` fixture is each of them in turn, open and empty."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from azure.cosmos import CosmosClient
from azure.storage.blob import BlobServiceClient

from settings import AzureStoreSettings, read_settings
from storage.azure import AzureStore
from storage.ports import Store
from storage.sqlite import SqliteStore
from tests.servers.azure_servers import AzureServers, ServersUnavailable, azure_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[AzureServers]:
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(azure_servers())
        except ServersUnavailable as reason:
            pytest.skip(str(reason))
        yield running


def settings_for(servers: AzureServers) -> AzureStoreSettings:
    """A database and a blob container of their own, so that every test finds an empty store."""
    settings = read_settings(servers.environment(f"test-{uuid.uuid4().hex[:12]}")).azure
    assert settings is not None
    return settings


def cosmos_client(settings: AzureStoreSettings) -> CosmosClient:
    return CosmosClient(settings.cosmos_endpoint, settings.cosmos_key, enable_endpoint_discovery=False)


def delete(settings: AzureStoreSettings) -> None:
    assert settings.blob_connection_string is not None
    with cosmos_client(settings) as client:
        client.delete_database(settings.cosmos_database)
    with BlobServiceClient.from_connection_string(settings.blob_connection_string) as blobs:
        blobs.delete_container(settings.blob_container)


@contextlib.asynccontextmanager
async def azure_store(servers: AzureServers, *, deadline: float = 30) -> AsyncIterator[AzureStore]:
    settings = settings_for(servers)
    store = AzureStore(settings, read_settings({}).retention, deadline=deadline)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
        if servers.cosmos_faults is None:  # a real account keeps what our own servers forget
            delete(settings)


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
