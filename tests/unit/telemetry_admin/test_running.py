"""The command against the running app; once as a process of its own, as people call it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.admin import Admin
from tests.support.senders import message, send
from tools.local_host import ROOT, LocalHost, wait_until

pytestmark = pytest.mark.e2e


Admins = Callable[[LocalHost], Admin]


@pytest.fixture
def admin_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Admins:
    for name in ("TELEMETRY_URL", "TELEMETRY_TOKEN", "TELEMETRY_CODE"):
        monkeypatch.delenv(name, raising=False)
    return lambda host: Admin(host, capsys)


def test_a_failed_batch_is_listed_shown_and_replayed(tmp_path: Path, admin_of: Admins) -> None:
    # Five attempts fail, which is all that a step has. A purge in between would be one of the five.
    faults = {"INJECT_FAULTS": "messages.write:before:5", "PURGE_SCHEDULE": "0 0 0 1 1 *"}
    with LocalHost(tmp_path / "data", settings=faults) as host:
        admin = admin_of(host)
        bad = b'{"deviceId":"drone-1","battery":7}'
        send(host.connection, [*(message("drone-1", n) for n in range(3)), bad], partition="0")
        wait_until(lambda: host.get("/api/stats")["batches"]["failed"] == 1, 60, lambda: str(host.get("/api/stats")))

        listed = admin("batches", "list")
        (batch,) = admin("batches", "list", "--json").json()
        assert batch["id"] in listed.out
        assert "store" in listed.out
        assert host.request("GET", "/api/drones/drone-1").status == 404

        replayed = admin("batches", "replay", "--all")
        assert (replayed.code, replayed.out.strip()) == (
            0,
            "1 started, 0 refused: 1 completed, 0 failed",
        ), replayed.err
        assert len(host.items("/api/drones/drone-1/history")) == 3
        shown = admin("batches", "show", batch["id"])
        assert "completed" in shown.out

        again = admin("batches", "replay", batch["id"], "--json")
        assert again.json()["completed"] == [batch["id"]]
        stats = admin("stats", "--json").json()
        assert (stats["messages"], stats["stored"], stats["duplicates"], stats["rejected"]) == (4, 3, 0, 1)

        letters = admin("deadletters", "list", "--json").json()
        refused = admin("deadletters", "replay", "--all")
        assert refused.code == 1
        assert "battery_out_of_range" in refused.out
        discarded = admin("deadletters", "discard", letters[0]["id"], "--reason", "a test")
        assert discarded.code == 0
        command = [sys.executable, "-m", "telemetry_admin", "health", "--url", host.url]
        subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=True)


def test_flights_zones_registry_instances_and_an_export(tmp_path: Path, admin_of: Admins) -> None:
    # No longer ago than flights are kept: the purge runs every minute.
    began = int(time.time()) - 600
    modes = ["ready", "takeoff", *["inflight"] * 7, "landing", "ready"]
    bodies = [
        json.dumps({"deviceId": "drone-1", "timestamp": began + n, "flightMode": mode, "battery": 0.5}).encode()
        for n, mode in enumerate(modes)
    ]
    # More than one page, and more than may be in one file of the API.
    with LocalHost(tmp_path / "data", settings={"EXPORT_LIMIT": "5"}) as host:
        admin = admin_of(host)
        send(host.connection, bodies, partition="0")
        host.settled(messages=len(bodies))
        (flight,) = admin("flights", "list", "--json").json()
        assert (flight["deviceId"], flight["messages"]) == ("drone-1", 9)
        assert flight["id"] in admin("flights", "list", "--from", "2023-11-14T00:00:00Z").out
        shown = admin("flights", "show", flight["id"], "--json")
        assert shown.json()["id"] == flight["id"]

        file = tmp_path / "history.parquet"
        exported = admin("export", "history", "--all", "--out", str(file))
        assert exported.code == 0, exported.err
        assert pq.read_table(file).column("flightMode").to_pylist() == modes
        exported = admin("export", "flights", "--out", str(tmp_path / "flights.parquet"), "--json")
        assert exported.json()["rows"] == 1

        zones = tmp_path / "zones.geojson"
        got = admin("zones", "get", "--out", str(zones))
        tag = got.err.split()[-1]
        assert admin("zones", "check", str(zones), local=True).code == 0
        assert admin("zones", "put", str(zones), "--if-match", "other").code == 1
        put = admin("zones", "put", str(zones), "--if-match", tag)
        assert put.code == 0, put.err
        assert [one["version"] for one in admin("zones", "versions", "--json").json()] == [2, 1]
        assert admin("zones", "restore", "1").code == 0

        entry = tmp_path / "entry.json"
        entry.write_text('{"name": "Hawk"}')
        assert admin("registry", "put", "new-one", str(entry)).code == 0
        again = admin("registry", "put", "new-one", str(entry))
        assert (again.code, "412" in again.err) == (1, True), again.err
        changed = admin("registry", "put", "new-one", str(entry), "--if-match", again.err.split('"')[1])
        assert changed.code == 0, changed.err
        assert admin("registry", "delete", "new-one", "--force").code == 0

        (batch,) = admin("batches", "list", "--status", "completed", "--json").json()
        listed = admin("instances", "list", "--status", "completed", "--json").json()
        assert batch["instanceId"] in [one["id"] for one in listed]
        history = admin("instances", "show", batch["instanceId"], "--history")
        assert "TaskCompleted" in history.out
        assert admin("instances", "terminate", batch["instanceId"]).code == 1
        again = admin("instances", "restart", batch["instanceId"])
        assert again.out.startswith("started as "), again.err
        assert admin("instances", "purge", batch["instanceId"]).code == 0
        assert admin("instances", "show", batch["instanceId"]).code == 1


def test_an_alert_is_listed_and_acknowledged(tmp_path: Path, admin_of: Admins) -> None:
    with LocalHost(tmp_path / "data") as host:
        admin = admin_of(host)
        low = {"deviceId": "drone-1", "battery": 0.05, "flightMode": "inflight"}

        def raised() -> list[Any]:
            # An alert that holds is raised by what comes while it does.
            send(host.connection, [json.dumps(low).encode()], partition="0")
            found: list[Any] = admin("alerts", "list", "--kind", "low_battery", "--json").json()
            return found

        (alert,) = wait_until(raised, 60, lambda: "no alert")
        assert "drone-1" in admin("alerts", "list").out
        done = admin("alerts", "acknowledge", alert["id"], "--note", "on my way", "--json")
        assert done.json()["alerts"][0]["note"] == "on my way", done.err
        shown = admin("alerts", "show", alert["id"], "--json").json()
        assert shown["acknowledgedAt"] is not None
        assert admin("alerts", "list", "--unacknowledged", "--json").json() == []
        assert admin("alerts", "acknowledge", "nothing").code == 1
