"""After whatever has happened, once all has come to rest: ``stored`` is the number of documents that a batch has
written, ``rejected`` the number of messages for which its open and discarded letters stand."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pipeline.ports import Store
from tests.support.faults.totals_machine import Totals, look, quick
from tests.support.pipeline import open_sqlite


class OnSqlite(Totals):
    @staticmethod
    @asynccontextmanager
    async def store() -> AsyncIterator[Store]:
        with tempfile.TemporaryDirectory() as folder:
            opened = await open_sqlite(Path(folder))
            yield opened
            await opened.close()


def test_the_totals_tell_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    look(OnSqlite, 40)
