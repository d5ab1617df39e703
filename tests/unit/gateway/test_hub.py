from __future__ import annotations

import pytest
from event_hubs_emulator import EventHubsEmulator

from gateway.hub import HubLane, Unsendable, partition_key
from gateway.spool import Waiting
from gateway.target import HubRefused, HubUnavailable, Target
from tests.support.gateway.processes import everything


def waiting(number: int, body: bytes, key: str = "a") -> Waiting:
    return Waiting(number, key, body, {"topic": "t"})


def test_a_key_is_as_long_as_the_hub_takes() -> None:
    assert partition_key("falcon-1") == "falcon-1"
    assert partition_key("é" * 100) == "é" * 64
    assert partition_key("x" + "é" * 100) == "x" + "é" * 63


async def test_a_batch_takes_what_fits_and_says_how_much(tmp_path: object) -> None:
    async with EventHubsEmulator(str(tmp_path), hubs={"telemetry": 2}, port=0) as hub:
        lane = HubLane(Target("telemetry", hub.connection_string))
        assert await lane.send("a", [waiting(n, bytes([65 + n]) * 400_000) for n in range(4)]) == 2
        assert await lane.send("a" * 300, [waiting(1, b"{}", "a" * 300)]) == 1
        with pytest.raises(Unsendable, match="the hub takes"):
            await lane.send("a", [waiting(1, bytes(2_000_000))])
        assert await lane.send("a", [waiting(1, b"{}")]) == 1
        await lane.close()
        got = await everything(hub.connection_string)
    assert sorted((key, len(body)) for key, body in got) == [
        ("a", 2),
        ("a", 400_000),
        ("a", 400_000),
        ("a" * 128, 2),
    ]


async def test_a_hub_that_is_not_there_and_one_that_is_away(tmp_path: object) -> None:
    async with EventHubsEmulator(str(tmp_path), hubs={"telemetry": 2}, port=0) as hub:
        lane = HubLane(Target("other", hub.connection_string))
        with pytest.raises((HubRefused, HubUnavailable)):
            await lane.send("a", [waiting(1, b"{}")])
        await lane.close()
        connection = hub.connection_string
    lane = HubLane(Target("telemetry", connection))
    with pytest.raises(HubUnavailable):
        await lane.send("a", [waiting(1, b"{}")])
    await lane.close()
