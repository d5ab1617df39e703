"""The store that the settings name: one per process, opened once."""

from __future__ import annotations

import asyncio
import threading

from pipeline.ports import Store
from settings import Settings, get_settings
from storage.faults import FaultyStore

_opening = threading.Lock()
_store: Store | None = None


def make_store(settings: Settings) -> Store:
    """The store of ``settings``, not yet open."""
    if settings.store == "azure" and settings.azure is not None:
        from storage.azure import AzureStore  # its SDKs cost a second to import

        return AzureStore(settings.azure, settings.retention)
    from storage.sqlite import SqliteStore

    store = SqliteStore(settings.data_dir, synchronous=settings.sqlite_synchronous)
    return FaultyStore(store, settings.inject_faults) if settings.inject_faults else store


async def open_store(settings: Settings) -> Store:
    """A store of its own, open. ``StoreUnavailable`` says what is wrong."""
    store = make_store(settings)
    await store.open()
    return store


async def get_store() -> Store:
    """The process's one store, from any thread and event loop. Where it did not open, the next call tries again."""
    global _store
    if _store is not None:
        return _store
    # The holder may run on another loop: an asyncio lock or event cannot tell this one.
    while not _opening.acquire(blocking=False):  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    try:
        if _store is None:
            _store = await open_store(get_settings())
        return _store
    finally:
        _opening.release()


async def close_store() -> None:
    """Close the process's store; the next ``get_store`` opens it anew."""
    global _store
    store, _store = _store, None
    if store is not None:
        await store.close()
