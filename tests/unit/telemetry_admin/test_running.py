"""The command as people call it, against the running app: a batch that failed is found, understood and run again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.senders import message, send
from tools.local_host import ROOT, LocalHost, wait_until

pytestmark = pytest.mark.e2e


def admin(host: LocalHost, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "telemetry_admin", *arguments, "--url", host.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_failed_batch_is_listed_shown_and_replayed(tmp_path: Path) -> None:
    # Five attempts fail, which is all that a step has. A purge in between would be one of the five.
    faults = {"INJECT_FAULTS": "messages.write:before:5", "PURGE_SCHEDULE": "0 0 0 1 1 *"}
    with LocalHost(tmp_path / "data", settings=faults) as host:
        bad = b'{"deviceId":"drone-1","battery":7}'
        send(host.connection, [*(message("drone-1", n) for n in range(3)), bad], partition="0")
        wait_until(lambda: host.get("/api/stats")["batches"]["failed"] == 1, 60, lambda: str(host.get("/api/stats")))

        listed = admin(host, "batches", "list")
        (batch,) = json.loads(admin(host, "batches", "list", "--json").stdout)
        assert batch["id"] in listed.stdout
        assert "store" in listed.stdout
        assert host.request("GET", "/api/drones/drone-1").status == 404

        replayed = admin(host, "batches", "replay", "--all")
        assert (replayed.returncode, replayed.stdout.strip()) == (
            0,
            "1 started, 0 refused: 1 completed, 0 failed",
        ), replayed.stderr
        assert len(host.items("/api/drones/drone-1/history")) == 3
        shown = admin(host, "batches", "show", batch["id"])
        assert "completed" in shown.stdout

        again = admin(host, "batches", "replay", batch["id"], "--json")
        assert json.loads(again.stdout)["completed"] == [batch["id"]]
        stats = json.loads(admin(host, "stats", "--json").stdout)
        assert (stats["messages"], stats["stored"], stats["duplicates"], stats["rejected"]) == (4, 3, 0, 1)

        letters = json.loads(admin(host, "deadletters", "list", "--json").stdout)
        refused = admin(host, "deadletters", "replay", "--all")
        assert refused.returncode == 1
        assert "battery_out_of_range" in refused.stdout
        discarded = admin(host, "deadletters", "discard", letters[0]["id"], "--reason", "a test")
        assert discarded.returncode == 0
        assert admin(host, "health").returncode == 0
