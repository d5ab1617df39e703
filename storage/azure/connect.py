"""The clients: with the app's identity and endpoints in Azure, with keys only where there is an emulator."""

from __future__ import annotations

import logging
from contextlib import suppress

from azure.core.exceptions import ResourceExistsError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient, DatabaseProxy
from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from settings import AzureStoreSettings
from storage.azure.containers import CONTAINERS, ContainerSpec

# They log every request at INFO, which would cost more to keep in Application Insights than the requests themselves.
_TALKATIVE = ("azure.core.pipeline.policies.http_logging_policy", "azure.cosmos", "azure.identity")

_CONNECT_SECONDS = 5
_READ_SECONDS = 15
# A few, so that a query of many pages need not begin again; calls.py does the long waiting, and gives its slot back.
_THROTTLE_RETRIES = 3
_THROTTLE_SECONDS = 15


def partition_key(spec: ContainerSpec) -> PartitionKey:
    if spec.second_key is None:
        return PartitionKey(spec.partition_key)
    return PartitionKey(spec.key_paths, kind="MultiHash")


class Clients:
    """One of each per process; ``close`` ends them."""

    def __init__(self, settings: AzureStoreSettings) -> None:
        self._settings = settings
        for name in _TALKATIVE:
            if logging.getLogger(name).level == logging.NOTSET:
                logging.getLogger(name).setLevel(logging.WARNING)
        self._credential = DefaultAzureCredential() if self._needs_identity else None
        self.cosmos = CosmosClient(
            settings.cosmos_endpoint,
            settings.cosmos_key or self._credential,
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retry_throttle_total=_THROTTLE_RETRIES,
            retry_throttle_backoff_max=_THROTTLE_SECONDS,
            # The SDK would wait a second before it connects again; calls.py retries sooner.
            retry_connect=0,
            retry_read=0,
            # An emulator tells its clients an address that is right only inside its container.
            enable_endpoint_discovery=settings.cosmos_key is None,
        )
        self.database: DatabaseProxy = self.cosmos.get_database_client(settings.cosmos_database)
        self.blobs: ContainerClient = self._blob_service().get_container_client(settings.blob_container)

    @property
    def makes_containers(self) -> bool:
        """A key means an emulator: in Azure local authentication is off and infra/ has made the containers."""
        return self._settings.cosmos_key is not None

    @property
    def _needs_identity(self) -> bool:
        return self._settings.cosmos_key is None or self._settings.blob_connection_string is None

    def _blob_service(self) -> BlobServiceClient:
        # The SDK would wait 15 seconds before its first retry; calls.py retries sooner.
        options = {"connection_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS, "retry_total": 0}
        if self._settings.blob_connection_string is not None:
            self._blob_client = BlobServiceClient.from_connection_string(
                self._settings.blob_connection_string, **options
            )
        else:
            self._blob_client = BlobServiceClient(
                str(self._settings.blob_account_url), credential=self._credential, **options
            )
        return self._blob_client

    async def open(self) -> None:
        """Connect. May be called again when it failed."""
        await self.cosmos.__aenter__()
        if self.makes_containers:
            await self._make_containers()
        if self._settings.blob_connection_string is not None:
            with suppress(ResourceExistsError):
                await self.blobs.create_container()

    async def _make_containers(self) -> None:
        database = await self.cosmos.create_database_if_not_exists(self._settings.cosmos_database)
        for spec in CONTAINERS:
            await database.create_container_if_not_exists(
                spec.name,
                partition_key(spec),
                indexing_policy=spec.indexing_policy,
                default_ttl=spec.default_ttl,
            )

    async def close(self) -> None:
        await self.cosmos.close()
        await self._blob_client.close()
        if self._credential is not None:
            await self._credential.close()
