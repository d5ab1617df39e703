"""An orchestration steered by hand on the running host: each word does what it says to the engine, and to the batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.senders import message, send
from tools.local_host import LocalHost, wait_until

pytestmark = pytest.mark.e2e


def test_a_batchs_orchestration_is_suspended_resumed_and_terminated(tmp_path: Path) -> None:
    # Enough to keep the batch trying for as long as the test looks at it.
    with LocalHost(tmp_path / "data", settings={"INJECT_FAULTS": "messages.write:before:100"}) as host:
        send(host.connection, [message("drone-1", n) for n in range(3)], partition="0")
        listed = "/api/instances?status=Running&idPrefix=telemetry"
        wait_until(lambda: host.items(listed), 60, host.log.read_text)
        (found,) = host.items(listed)
        assert found["batchId"] == host.items("/api/batches")[0]["id"]
        url = f"/api/instances/{found['id']}"

        def becomes(status: str) -> list[str]:
            wait_until(lambda: host.get(url)["status"] == status, 30, lambda: str(host.get(url)))
            return [event["EventType"] for event in host.get(url)["history"]]

        assert host.request("POST", f"{url}/suspend", {"reason": "to look at it"}).status == 202
        assert becomes("Suspended")[-1] == "ExecutionSuspended"
        assert host.get(url)["output"] == "to look at it"
        assert host.request("POST", f"{url}/suspend", {}).status == 409
        assert host.request("DELETE", url).status == 409
        assert host.request("POST", f"{url}/resume", {}).status == 202
        assert "ExecutionResumed" in becomes("Running")
        assert host.request("POST", f"{url}/terminate", {"reason": "enough"}).status == 202
        becomes("Terminated")
        assert host.get(url)["error"] == "enough"
        # The batch is not lost with it: its record waits for the sweeper.
        assert host.get(f"/api/batches/{found['batchId']}")["status"] == "running"
        assert host.request("POST", f"{url}/resume", {}).status == 409
        assert host.request("DELETE", url).status == 204
        assert host.get(f"/api/batches/{found['batchId']}/instance")["instance"] is None
