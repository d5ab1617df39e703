"""What tests/faults/test_totals.py shows on SQLite, on Cosmos DB and Blob storage."""

from __future__ import annotations

import pytest

from tests.support.azure_stores import azure_store
from tests.support.faults.totals_machine import Totals, look, quick
from tests.support.servers.azure_servers import AzureServers


def test_the_totals_tell_what_is_there(servers: AzureServers, monkeypatch: pytest.MonkeyPatch) -> None:
    class OnAzure(Totals):
        store = staticmethod(lambda: azure_store(servers))

    quick(monkeypatch)
    look(OnAzure, 4)
