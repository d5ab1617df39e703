"""A store that is gone while the checkpoints are far ahead: it is told, and what the hub still has comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.senders import flights, send
from tools.local_host import ROOT, LocalHost, wait_until

pytestmark = pytest.mark.e2e


def recover(host: LocalHost) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "telemetry_admin", "recover", "--json", "--url", host.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_a_deleted_store_is_told_and_filled_again_from_the_hub(tmp_path: Path) -> None:
    with LocalHost(tmp_path / "data") as host:
        _lose_and_recover(host)


def _lose_and_recover(own_host: LocalHost) -> None:
    bad = b'{"deviceId":"drone-1","battery":7}'
    send(own_host.connection, [*flights(30, 100), bad])
    before = own_host.settled(messages=3_001)
    own_host.stop()
    for file in (own_host.data / "app").glob("store.db*"):
        file.unlink()

    own_host.start()
    assert own_host.get("/api/stats")["messages"] == 0
    # One more event, so that the trigger goes on behind the checkpoint; the others are a hole then, or are late.
    send(own_host.connection, flights(1, 1))

    def told() -> bool:
        return bool(own_host.get("/api/health")["status"] == "degraded")

    wait_until(told, 60, lambda: str(own_host.get("/api/health")))
    assert "telemetry_admin recover" in own_host.get("/api/health")["parts"]["eventHub"]["detail"]

    assert int(str(recover(own_host)["events"])) >= 3_001
    after = own_host.settled(messages=3_002)
    assert after["messages"] == after["stored"] + after["duplicates"] + after["rejected"]
    assert (after["stored"], after["rejected"]) == (before["stored"], before["rejected"])
    assert len(own_host.items("/api/drones/drone-7/history?limit=1000")) == 100
    assert len(own_host.items("/api/deadletters")) == 1
    wait_until(lambda: not told(), 30, lambda: str(own_host.get("/api/health")))
    assert recover(own_host)["batches"] == []
