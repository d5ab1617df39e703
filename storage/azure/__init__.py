"""The store on Azure: documents in Cosmos DB, bytes in Blob storage."""
