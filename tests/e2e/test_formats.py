"""Each format, and each way through the gateway, to ``GET /api/drones/{id}`` and the history."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from amqtt.broker import Broker as MqttBroker

from tests.support.gateway.flights import Flight
from tests.support.gateway.processes import Gateway
from tests.support.other_formats import DJI_OSD
from tools.local_host import ROOT, LocalHost, wait_until

pytestmark = pytest.mark.e2e


def drone(host: LocalHost, device: str) -> dict[str, Any]:
    """The drone, once it is there."""
    wait_until(lambda: host.request("GET", f"/api/drones/{device}").status == 200, 20, lambda: f"no {device}")
    found: dict[str, Any] = host.get(f"/api/drones/{device}")
    return found


@pytest.mark.parametrize(
    ("spoken", "device", "kept"),
    [
        ("native", "drone-0", "json"),
        ("protobuf", "drone-0", "protobuf"),
        ("cloudevents", "drone-0", "json"),
        ("dji", "drone-0", "dji"),
        ("mavlink-json", "mav-1", "mavlink"),
    ],
)
def test_a_fleet_that_speaks_it(host: LocalHost, spoken: str, device: str, kept: str) -> None:
    before = host.get("/api/stats")
    flown = subprocess.run(
        [
            *(sys.executable, "-m", "simulator", "--drones", "1", "--rate", "20", "--seconds", "2"),
            *("--format", spoken, "--connection", host.connection, "--hub", "telemetry"),
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    sent = json.loads(flown.stdout.splitlines()[-1])["sent"]
    stats = host.settled(messages=before["messages"] + sent)
    assert stats["rejected"] == before["rejected"]
    state = drone(host, device)
    assert state["position"]["latitude"] == pytest.approx(47.476, abs=0.01)
    assert 0.5 < state["battery"] <= 1
    assert state["flightMode"] == "ready"
    newest = host.items(f"/api/drones/{device}/history?limit=40")
    assert kept in {message["format"] for message in newest}


async def test_mavlink_by_udp_through_the_gateway(host: LocalHost, tmp_path: Path) -> None:
    gateway = await Gateway(
        host.connection, tmp_path / "spool", "mavlink", "udpin:127.0.0.1:0", "--device-id", "9=osprey"
    ).start()
    port = await gateway.port()
    began = time.time()
    flight = Flight(9, booted=began - 60, began=began)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
        for _ in range(30):
            now = round(time.time(), 1)
            for packet in flight.once_a_second(now):
                radio.sendto(packet, ("127.0.0.1", port))
            radio.sendto(flight.position(now), ("127.0.0.1", port))
            await asyncio.sleep(0.1)
    summary = await gateway.stop()
    assert summary["messages"] >= 3
    assert summary["waiting"] == 0
    state = await asyncio.to_thread(drone, host, "osprey")
    assert state["flightMode"] == "inflight"
    assert state["health"] == {"gyrometer": True, "accelerometer": True, "magnetometer": True}
    assert state["groundSpeed"] > 4
    *_, first = host.items("/api/drones/osprey/history?limit=10")
    assert first["timeSource"] == "device"
    assert first["extra"]["mavlink"]["fix_type"] == 3


async def test_a_dock_by_its_broker_through_the_gateway(host: LocalHost, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = MqttBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    gateway = await Gateway(host.connection, tmp_path / "spool", "dji", "--broker", f"mqtt://127.0.0.1:{port}").start()
    try:
        async with aiomqtt.Client("127.0.0.1", port) as dock:
            for number in range(100):
                if gateway.process is None or host.request("GET", "/api/drones/1581F5FE2E").status == 200:
                    break
                push = {**DJI_OSD, "timestamp": round(time.time() * 1000), "bid": str(number)}
                await dock.publish("thing/product/1581F5FE2E/osd", json.dumps(push), qos=1)
                await dock.publish(
                    "thing/product/4TADKAQ000002J/osd", json.dumps({**push, "data": {"mode_code": 0}}), qos=1
                )
                await asyncio.sleep(0.2)
        state = await asyncio.to_thread(drone, host, "1581F5FE2E")
        summary = await gateway.stop()
    finally:
        await broker.shutdown()
    assert summary["waiting"] == 0
    assert state["position"]["latitude"] == 52.51
    assert (state["battery"], state["heading"], state["flightMode"]) == (0.64, 312.5, "inflight")
    assert host.request("GET", "/api/drones/4TADKAQ000002J").status == 404
