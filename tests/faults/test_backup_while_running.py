"""A backup made in the midst of traffic, put back after everything else is gone: nothing that it holds is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.senders import message, send
from tools.local_host import ROOT, LocalHost, wait_until

pytestmark = pytest.mark.e2e


def admin(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "telemetry_admin", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_holds(data: Path) -> None:
    done = admin("verify", "--data", str(data), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [check for check in json.loads(done.stdout)["checks"] if check["lookedAt"]]


def test_a_backup_in_the_midst_of_traffic_can_be_gone_on_from(tmp_path: Path) -> None:
    sent = 0
    stop = threading.Event()

    def traffic(connection: str) -> None:
        nonlocal sent
        while not stop.is_set():
            bad = b'{"deviceId":"drone-0","battery":7}'
            send(connection, [*(message(f"drone-{n % 20}", sent // 21 * 2 + n // 20) for n in range(40)), bad, bad])
            sent += 42

    host = LocalHost(tmp_path / "data")
    host.start()
    sending = threading.Thread(target=traffic, args=(host.connection,))
    sending.start()
    try:
        wait_until(lambda: host.get("/api/stats")["stored"] > 1_000, 60, lambda: str(host.get("/api/stats")))
        acknowledged = sent
        done = admin("backup", str(tmp_path / "copy"), "--data", str(host.data))
        assert done.returncode == 0, done.stderr
    finally:
        stop.set()
        sending.join()
        host.kill()
    assert_holds(tmp_path / "copy")
    shutil.rmtree(host.data)

    done = admin("restore", str(tmp_path / "copy"), "--data", str(tmp_path / "restored"))
    assert done.returncode == 0, done.stderr
    restored = LocalHost(tmp_path / "restored")
    try:
        restored.start()
        restored.settled(messages=acknowledged, seconds=90)
        stats = restored.get("/api/stats")
        assert stats["messages"] == stats["stored"] + stats["duplicates"] + stats["rejected"]
        assert acknowledged <= stats["messages"] <= sent

        def agrees() -> bool:  # the drone may know an event whose batch the copied hub is only about to deliver again
            newest = restored.get("/api/drones/drone-7/history?limit=1")["items"][0]
            return bool(restored.get("/api/drones/drone-7")["battery"] == newest["battery"])

        wait_until(agrees, 30, lambda: str(restored.get("/api/drones/drone-7")))
        send(restored.connection, [message("after", 1)])
        wait_until(lambda: restored.request("GET", "/api/drones/after").status == 200, 30, lambda: "no drone")
    finally:
        restored.stop()
    assert_holds(tmp_path / "restored")
