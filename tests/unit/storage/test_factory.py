"""One store a process, from whatever thread or event loop asks first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.ports import Store, StoreUnavailable
from settings import Settings, read_settings
from storage import factory
from storage.faults import FaultyStore
from storage.sqlite import SqliteStore


@pytest.fixture
async def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    settings = read_settings({"DATA_DIR": str(tmp_path / "data")})
    monkeypatch.setattr(factory, "get_settings", lambda: settings)
    yield settings
    await factory.close_store()


async def test_everybody_gets_the_same_open_store(chosen: Settings) -> None:
    stores: list[Store] = list(await asyncio.gather(*(factory.get_store() for _ in range(10))))

    def ask() -> None:
        stores.append(asyncio.run(factory.get_store()))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert len({id(store) for store in stores}) == 1
    await stores[0].health()


def test_threads_that_ask_at_once_open_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings({"DATA_DIR": str(tmp_path)})
    opened: list[Store] = []
    make = factory.make_store

    def counted(given: Settings) -> Store:
        opened.append(make(given))
        return opened[-1]

    monkeypatch.setattr(factory, "get_settings", lambda: settings)
    monkeypatch.setattr(factory, "make_store", counted)
    barrier = threading.Barrier(6)

    def ask() -> None:
        barrier.wait()
        asyncio.run(factory.get_store())

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(factory.close_store())
    assert len(opened) == 1


async def test_a_store_that_did_not_open_is_tried_again(chosen: Settings) -> None:
    chosen.data_dir.write_text("in the way")
    with pytest.raises(StoreUnavailable):
        await factory.get_store()
    chosen.data_dir.unlink()
    await (await factory.get_store()).health()


async def test_settings_choose_the_store(tmp_path: Path) -> None:
    plain = factory.make_store(read_settings({"DATA_DIR": str(tmp_path)}))
    assert isinstance(plain, SqliteStore)
    faulty = factory.make_store(
        read_settings({"DATA_DIR": str(tmp_path), "INJECT_FAULTS": "ledger.write:before:1,messages.read:after:2"})
    )
    assert isinstance(faulty, FaultyStore)
