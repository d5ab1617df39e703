"""The whole app with ``STORE=azure``: the host, its hub and the Azure servers as processes of their own."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.support.senders import flights, message, send
from tests.support.servers.azure_servers import AzureServers
from tools.local_host import LocalHost

pytestmark = pytest.mark.e2e


def test_every_message_arrives_once_through_a_kill(servers: AzureServers, tmp_path: Path) -> None:
    sent = [message(f"azure-{m['deviceId']}", i // 20) for i, m in enumerate(flights(20, 50))]
    settings = servers.environment("end-to-end")
    with LocalHost(tmp_path / "data", settings=settings) as host:
        send(host.connection, [*sent[:500], b"{ no JSON"])
        host.kill()
        host.start()
        send(host.connection, [*sent[500:], *sent[900:]])
        stats = host.settled(messages=1_101, stored=1_000)
        assert (stats["stored"], stats["rejected"]) == (1_000, 1)
        # A batch that was in the ledger and not yet checkpointed at the kill comes again, cut otherwise perhaps.
        assert stats["duplicates"] >= 100
        assert stats["messages"] == stats["stored"] + stats["duplicates"] + stats["rejected"]
        assert stats["batches"]["completed"] == sum(stats["batches"].values()) > 0
        for drone in range(20):
            history = host.items(f"/api/drones/azure-drone-{drone}/history?limit=20")
            assert [m["battery"] for m in history] == [round(1 - n / 10_000, 4) for n in reversed(range(50))]
        (letter,) = host.items("/api/deadletters?errorCode=malformed_json")
        assert base64.b64decode(letter["body"]) == b"{ no JSON"
        assert "x-ms-request-charge" not in host.log.read_text()  # the SDKs log every request unless told not to
        assert servers.cosmos_key not in host.log.read_text()
