"""INJECT_FAULTS: which calls fail, when, how often, and that it is said loudly."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline import ports
from pipeline.ports import BatchFilter, StoreUnavailable
from settings import InjectedFault
from storage import faults
from storage.faults import FaultyStore
from storage.sqlite import SqliteStore
from tests.support.records import batch, letter, message


@pytest.fixture
async def inner(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path)
    await opened.open()
    yield opened
    await opened.close()


async def test_before_its_effect(inner: SqliteStore) -> None:
    store = FaultyStore(inner, [InjectedFault("messages", "write", "before", 2)])
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"injected fault: messages\.put fails before its effect"):
            await store.messages.put([message("m1")], "b")
    assert (await store.messages.history("drone-1", None, None, ascending=True, limit=9, continuation=None)).items == []
    await store.messages.put([message("m1")], "b")
    assert (await inner.messages.history("drone-1", None, None, ascending=True, limit=9, continuation=None)).items != []


async def test_after_its_effect(inner: SqliteStore) -> None:
    store = FaultyStore(inner, [InjectedFault("ledger", "write", "after", 1)])
    with pytest.raises(StoreUnavailable, match="after its effect"):
        await store.ledger.receive(batch(), b"raw")
    assert await inner.ledger.raw(batch().id) == b"raw"
    await store.ledger.receive(batch(), b"raw")


async def test_reads_and_other_ports_are_left_alone(inner: SqliteStore) -> None:
    store = FaultyStore(inner, [InjectedFault("deadletters", "read", "before", 1)])
    await store.dead_letters.put([letter("l1")], "b")
    await store.ledger.list(BatchFilter(), 10, None)
    with pytest.raises(StoreUnavailable):
        await store.dead_letters.get("l1")
    assert await store.dead_letters.get("l1") is not None


async def test_several_faults_count_apart(inner: SqliteStore) -> None:
    store = FaultyStore(
        inner, [InjectedFault("ledger", "write", "before", 1), InjectedFault("ledger", "read", "after", 1)]
    )
    with pytest.raises(StoreUnavailable, match="before"):
        await store.ledger.receive(batch(), b"raw")
    with pytest.raises(StoreUnavailable, match="after"):
        await store.ledger.get("x")
    await store.ledger.receive(batch(), b"raw")
    assert await store.ledger.get("x") is None


async def test_calls_at_once_share_the_count(inner: SqliteStore) -> None:
    store = FaultyStore(inner, [InjectedFault("messages", "write", "before", 7)])
    results = await asyncio.gather(
        *(store.messages.put([message(f"m{n}")], "b") for n in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, StoreUnavailable) for result in results) == 7


async def test_opening_says_so_loudly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = FaultyStore(SqliteStore(tmp_path), [InjectedFault("messages", "write", "before", 1000)])
    await store.open()
    await store.health()
    await store.close()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "INJECT_FAULTS" in record.getMessage()
    assert "messages.write:before:1000" in record.getMessage()


def test_every_call_of_the_ports_is_a_read_or_a_write() -> None:
    known = faults._READS | faults._WRITES
    for port in (ports.BatchLedger, ports.MessageStore, ports.DeadLetterStore):
        calls = {name for name, member in vars(port).items() if inspect.iscoroutinefunction(member)}
        assert calls
        assert calls <= known
