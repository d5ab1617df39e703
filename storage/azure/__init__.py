"""The store on Azure: documents in Cosmos DB, bytes in Blob storage."""

from storage.azure.store import AzureStore

__all__ = ["AzureStore"]
