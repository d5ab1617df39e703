"""Azure stores for tests: each in a database and a blob container of its own, which are gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

from azure.cosmos import CosmosClient
from azure.storage.blob import BlobServiceClient

from settings import AzureStoreSettings, read_settings
from storage.azure import AzureStore
from storage.azure.calls import PATIENCE
from tests.support.servers.azure_servers import AzureServers

RETENTION = read_settings({}).retention


def settings_for(servers: AzureServers) -> AzureStoreSettings:
    """A database and a blob container that nobody has used, so that every test finds an empty store."""
    settings = read_settings(servers.environment(f"test-{uuid.uuid4().hex[:12]}")).azure
    assert settings is not None
    return settings


def cosmos_client(settings: AzureStoreSettings) -> CosmosClient:
    return CosmosClient(settings.cosmos_endpoint, settings.cosmos_key, enable_endpoint_discovery=False)


def forget(servers: AzureServers, settings: AzureStoreSettings) -> None:
    """Delete what a store has made, where it would otherwise stay: our own servers keep nothing."""
    if servers.cosmos_faults is not None:
        return
    assert settings.blob_connection_string is not None
    with cosmos_client(settings) as client:
        client.delete_database(settings.cosmos_database)
    with BlobServiceClient.from_connection_string(settings.blob_connection_string) as blobs:
        blobs.delete_container(settings.blob_container)


@contextlib.asynccontextmanager
async def azure_store(
    servers: AzureServers,
    *,
    deadline: float = 30,
    patience: float = PATIENCE,
    messages_hours: float = RETENTION.messages_hours,
) -> AsyncIterator[AzureStore]:
    """An open store; closed and forgotten afterwards."""
    settings = settings_for(servers)
    retention = replace(RETENTION, messages_hours=messages_hours)
    store = AzureStore(settings, retention, deadline=deadline, patience=patience, settle=0)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
        await asyncio.to_thread(forget, servers, settings)
