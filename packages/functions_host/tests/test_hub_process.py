"""The local Event Hubs as a child: what the host learns from its log, and how many partitions it asks for."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from functions_host.hub_process import HubProcess

_STAMP = "2026-01-01 00:00:00,000"


class _Child:
    """As much of a process as the reader of its log needs."""

    returncode: int | None = None

    def __init__(self) -> None:
        self.stderr = asyncio.StreamReader(limit=1000)


def _hub(tmp_path: Path, **partitions: int) -> HubProcess:
    return HubProcess(1, ["telemetry"], tmp_path, partitions=partitions)


async def _read(hub: HubProcess, *lines: str) -> None:
    child: Any = _Child()
    hub._process = child
    child.stderr.feed_data("".join(f"{line}\n" for line in lines).encode())
    child.stderr.feed_eof()
    await hub._pass_on_log(child)


async def test_failing_writes_are_a_problem_until_they_succeed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hub = _hub(tmp_path)
    assert hub.problem == "the local Event Hubs does not run"
    failing = f"{_STAMP} ERROR event_hubs_emulator.health writes fail: hub telemetry partition 0: no space"
    await _read(hub, f"{_STAMP} WARNING event_hubs_emulator.server.connection something else", failing)
    assert hub.problem == "the local Event Hubs: writes fail: hub telemetry partition 0: no space"
    assert hub.problem.endswith([record.getMessage() for record in caplog.records][-1])
    await _read(hub, f"{_STAMP} WARNING event_hubs_emulator.health writes succeed again")
    assert hub.problem is None


async def test_a_line_without_end_does_not_stop_the_reading_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await _read(_hub(tmp_path), "x" * 5_000, f"{_STAMP} ERROR some.logger after")
    assert (caplog.records[-1].levelno, caplog.records[-1].getMessage()) == (logging.ERROR, "after")


def test_a_hub_that_is_there_keeps_its_partitions_whatever_its_description_says(tmp_path: Path) -> None:
    assert _hub(tmp_path)._count("telemetry") == 4
    assert _hub(tmp_path, telemetry=7)._count("Telemetry") == 7
    folder = tmp_path / "event_hubs" / "telemetry"
    for number in (0, 1, 10):
        (folder / str(number)).mkdir(parents=True)
    (folder / "hub.json").write_text('{"partitions": 0}')
    assert _hub(tmp_path)._count("Telemetry") == _hub(tmp_path, telemetry=7)._count("telemetry") == 11


async def test_what_a_partition_keeps_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str, ...]] = []

    async def started(*command: str, **_: object) -> None:
        commands.append(command)
        raise OSError("not started")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    for kept in (None, 16.0):
        with pytest.raises(OSError, match="not started"):
            await HubProcess(1, ["telemetry"], tmp_path, retention_mib=kept).start()
    assert "--retention-mib" not in commands[0]
    assert commands[1][commands[1].index("--retention-mib") :][:4] == (
        "--retention-mib",
        "16.0",
        "--segment-mib",
        "4.0",
    )
