"""Cosmos DB and Blob storage, with ``STORE=azure``."""

from __future__ import annotations

from dataclasses import dataclass, field

from settings.errors import SettingError
from settings.reader import Reader


@dataclass(frozen=True)
class AzureStoreSettings:
    """Where documents (Cosmos DB) and raw batches (Blob storage) are kept with ``STORE=azure``.

    ``cosmos_key`` None means the app's identity (Entra ID); so does ``blob_connection_string`` None.
    """

    cosmos_endpoint: str
    cosmos_key: str | None = field(repr=False)  # a secret, kept out of logs and errors
    cosmos_database: str
    blob_connection_string: str | None = field(repr=False)
    blob_account_url: str | None
    blob_container: str


def read_azure_store(read: Reader) -> AzureStoreSettings:
    connection = read.optional("BATCH_BLOB_CONNECTION_STRING")
    account = read.url("BATCH_BLOB_ACCOUNT_URL")
    if connection is not None and account is not None:
        raise SettingError(
            "BATCH_BLOB_CONNECTION_STRING", "is set; allowed: that or BATCH_BLOB_ACCOUNT_URL, which is set too"
        )
    if connection is None and account is None:
        # Blob storage that the Functions host itself uses is there in every function app.
        connection = read.optional("AzureWebJobsStorage")
        if connection is None:
            raise SettingError(
                "BATCH_BLOB_ACCOUNT_URL", "is not set; STORE=azure needs it, or BATCH_BLOB_CONNECTION_STRING"
            )
    return AzureStoreSettings(
        cosmos_endpoint=read.url("COSMOS_ENDPOINT")
        or read.required("COSMOS_ENDPOINT", "STORE=azure needs the account's https URL"),
        cosmos_key=read.optional("COSMOS_KEY"),
        cosmos_database=read.text("COSMOS_DATABASE", "dronetelemetry"),
        blob_connection_string=connection,
        blob_account_url=account,
        blob_container=read.text("BATCH_BLOB_CONTAINER", "batches"),
    )
