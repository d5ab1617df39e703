"""What befalls the folder of a hub: a full disk, a log of an earlier version, a description that decayed."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.exceptions import EventDataSendError
from event_hubs_emulator import EventHubsEmulator, LogOptions
from event_hubs_emulator.log import files, options, segment
from event_hubs_emulator.log.partition_log import PartitionLog

OLD = Path(__file__).parent / "data" / "log_of_1_0"
KEEP_ALL = LogOptions(retention_ms=None, retention_bytes=None)


async def _received(hub: EventHubsEmulator, count: int) -> list[tuple[str, int, str]]:
    """(partition, sequence number, body) of `count` events from the beginning, in the order of the first two."""
    client = EventHubConsumerClient.from_connection_string(
        hub.connection_string, "$Default", eventhub_name="telemetry", socket_timeout=0.05
    )
    found: list[tuple[str, int, str]] = []
    enough = asyncio.Event()

    async def on_batch(context: Any, events: list[EventData]) -> None:
        found.extend((context.partition_id, event.sequence_number or 0, event.body_as_str()) for event in events)
        if len(found) >= count:
            enough.set()

    receiving = asyncio.ensure_future(client.receive_batch(on_batch, starting_position="-1", max_wait_time=0.1))
    try:
        await asyncio.wait_for(enough.wait(), 20)
    finally:
        await client.close()
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
    return sorted(found)


async def test_a_log_of_version_1_0_is_read_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(OLD, tmp_path / "data")
    expected = [
        (str(partition), 5 * batch + place, f"event {2 * batch + partition}.{place} " + "x" * 40)
        for partition in range(2)
        for batch in range(6)
        for place in range(5)
    ]
    for restart in range(2):
        async with EventHubsEmulator(tmp_path / "data", port=0, log_options=KEEP_ALL) as hub:
            assert hub.hub_sizes == {"Telemetry": 2}
            assert await _received(hub, len(expected)) == expected
            async with EventHubProducerClient.from_connection_string(
                hub.connection_string, eventhub_name="telemetry"
            ) as client:
                await client.send_event(EventData("new"), partition_id="1")
            expected.append(("1", 30 + restart, "new"))
    assert not [record for record in caplog.records if record.name.startswith("event_hubs_emulator.log")]


@pytest.mark.parametrize("name", ["00000000000000000000.log", "00000000000000003323.log"])
async def test_the_header_of_an_old_segment_may_decay(tmp_path: Path, name: str) -> None:
    """Before, the newest was deleted and an older one stopped the start."""
    shutil.copytree(OLD, tmp_path / "data")
    path = tmp_path / "data" / "telemetry" / "0" / name
    path.write_bytes(b"\x00" * segment.HEADER_SIZE + path.read_bytes()[segment.HEADER_SIZE :])
    async with EventHubsEmulator(tmp_path / "data", port=0, log_options=KEEP_ALL) as hub:
        assert len(await _received(hub, 60)) == 60


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "[]",
        '{"name": "Telemetry"}',
        '{"name": "Telemetry", "created_ms": 1, "partitions": 6}',
        '{"name": "Telemetry", "created_ms": 1, "partitions": 0}',
        '{"name": "TelemetrX", "created_ms": 1, "partitions": 2}',
        '{"name": "Telemetry", "created_ms": "1", "partitions": 2}',
    ],
)
async def test_a_description_that_decayed_is_made_anew_from_the_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    shutil.copytree(OLD, tmp_path / "data")
    description = tmp_path / "data" / "telemetry" / "hub.json"
    description.write_text(damaged)
    async with EventHubsEmulator(tmp_path / "data", port=0, log_options=KEEP_ALL) as hub:
        assert [(name.lower(), count) for name, count in hub.hub_sizes.items()] == [("telemetry", 2)]
        assert len(await _received(hub, 60)) == 60
    assert "is damaged: hub" in caplog.text
    assert json.loads(description.read_text())["partitions"] == 2
    assert description.with_suffix(".damaged").read_text() == damaged


async def test_a_full_disk_is_told_to_senders_and_in_the_health_until_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was refused is not there, and may be sent again on the same link."""
    write, full = files.write_all, True

    def fill(descriptor: int, data: bytes, position: int) -> None:
        if full:
            write(descriptor, data[: len(data) // 2], position)
            raise OSError(errno.ENOSPC, "No space left on device")
        write(descriptor, data, position)

    async with EventHubsEmulator(tmp_path, {"telemetry": 1}, port=0) as hub:
        monkeypatch.setattr(segment, "write_all", fill)
        async with EventHubProducerClient.from_connection_string(
            hub.connection_string, eventhub_name="telemetry"
        ) as client:
            with pytest.raises(EventDataSendError, match=r"No space left[\s\S]*InternalError"):
                await client.send_batch([EventData("lost")], partition_id="0")
            assert "No space left on device" in (hub.write_failure or "")
            full = False
            await client.send_batch([EventData("kept")], partition_id="0")
        assert hub.write_failure is None
        assert await _received(hub, 1) == [("0", 0, "kept")]
    health = [(r.levelno, r.getMessage()) for r in caplog.records if r.name == "event_hubs_emulator.health"]
    assert [level for level, _ in health] == [logging.ERROR, logging.WARNING]
    assert health[0][1].startswith("writes fail: the log of hub telemetry partition 0 cannot be written")


async def test_a_partition_that_cannot_be_read_for_a_while_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("event_hubs_emulator.server.consumer._TRY_AGAIN_SECONDS", 0.05)
    read, failures = files.read_at, 0

    def fail(descriptor: int, size: int, position: int) -> bytes:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return read(descriptor, size, position)

    async with EventHubsEmulator(tmp_path, {"telemetry": 1}, port=0) as hub:
        async with EventHubProducerClient.from_connection_string(
            hub.connection_string, eventhub_name="telemetry"
        ) as client:
            await client.send_batch([EventData("kept")], partition_id="0")
        monkeypatch.setattr(segment, "read_at", fail)
        assert await _received(hub, 1) == [("0", 0, "kept")]
    assert failures > 3


async def test_retention_hides_what_is_too_old_though_its_segment_is_not_full(tmp_path: Path) -> None:
    now = options.wall_clock_ms()
    log: PartitionLog[bytes] = PartitionLog(
        tmp_path, "p", lambda event, *_: (0, b"", event), LogOptions(retention_ms=60_000), lambda: now
    )
    for body in (b"old", b"older", b"new"):
        now += 20_000
        log.append([body])
    now += 25_000
    log.drop_expired()
    state = log.state()
    assert (state.begin_sequence_number, state.last_sequence_number, state.is_empty) == (1, 2, False)
    assert log.after_sequence_number(-1, inclusive=False) == log.after_offset(0, inclusive=True) == log.start > 0
    address, chunk = log.read(0, 10_000)
    assert address == log.start
    assert chunk.endswith(b"new")
    log.close()
