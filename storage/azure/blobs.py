"""The bytes: raw batches, staged documents, and what is too large for a document."""

from __future__ import annotations

from collections.abc import AsyncIterator

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from storage.azure.calls import Calls

_SECONDS = 20  # of one request, on the server's side too; a batch is a few MB at most


class Blobs:
    """One container. Writes may be repeated: the same name gets the same bytes."""

    def __init__(self, container: ContainerClient, calls: Calls) -> None:
        self._container = container
        self._calls = calls
        self._name = f"Blob container {container.container_name}"

    async def put(self, name: str, content: bytes, *, overwrite: bool = True) -> None:
        """Without ``overwrite`` what is there stays."""

        async def call() -> None:
            try:
                await self._container.upload_blob(name, content, overwrite=overwrite, timeout=_SECONDS)
            except ResourceExistsError:
                return

        await self._calls.run(f"{self._name}: write", call, patient=True)

    async def get(self, name: str) -> bytes | None:
        async def call() -> bytes | None:
            try:
                stream = await self._container.download_blob(name, timeout=_SECONDS)
                return bytes(await stream.readall())
            except ResourceNotFoundError:
                return None

        return await self._calls.run(f"{self._name}: read", call, patient=True)

    async def delete(self, name: str) -> None:
        async def call() -> None:
            try:
                await self._container.delete_blob(name, timeout=_SECONDS)
            except ResourceNotFoundError:
                return

        await self._calls.run(f"{self._name}: delete", call, patient=True)

    async def delete_under(self, prefix: str, *, but: str | None = None) -> None:
        """All blobs whose names start with ``prefix``, save those that start with ``but``."""

        async def names() -> list[str]:
            found: AsyncIterator[str] = self._container.list_blob_names(name_starts_with=prefix, timeout=_SECONDS)
            return [name async for name in found]

        for name in await self._calls.run(f"{self._name}: list", names, patient=True):
            if but is None or not name.startswith(but):
                await self.delete(name)

    async def probe(self) -> None:
        """``StoreUnavailable`` unless the container is there and may be used."""

        async def call() -> None:
            await self._container.get_container_properties(timeout=_SECONDS)

        await self._calls.run(self._name, call)
