"""The gateway as a child process, and what the hub has of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from azure.eventhub.aio import EventHubConsumerClient

from tools.local_host import ROOT

_LISTENING = re.compile(r"listening on udpin:127\.0\.0\.1:(\d+)")


class Gateway:
    """``python -m gateway`` with these arguments. ``lines`` are what it said so far on stderr."""

    def __init__(self, connection: str, spool: Path, *arguments: str) -> None:
        self.command = [
            *(sys.executable, "-m", "gateway", *arguments),
            *("--connection", connection, "--spool", str(spool)),
        ]
        self.lines: list[str] = []
        self.process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._said = asyncio.Event()

    async def start(self) -> Gateway:
        self.process = await asyncio.create_subprocess_exec(
            *self.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def port(self) -> int:
        """The UDP port it listens on, once it does."""
        return int((await self.said(_LISTENING)).group(1))

    async def said(self, pattern: re.Pattern[str], seconds: float = 30.0) -> re.Match[str]:
        async def wait() -> re.Match[str]:
            while True:
                self._said.clear()
                for line in self.lines:
                    if found := pattern.search(line):
                        return found
                await self._said.wait()

        return await asyncio.wait_for(wait(), seconds)

    async def kill(self) -> None:
        """As a power cut for the process."""
        await self._end(signal.SIGKILL)
        self.lines.clear()

    async def stop(self) -> dict[str, Any]:
        """Ctrl-C; its last word."""
        return await self._end(signal.SIGINT)

    async def end(self) -> dict[str, Any]:
        """Wait until it ends by itself; its last word."""
        return await self._end(None)

    async def _end(self, number: signal.Signals | None) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdout is not None
        assert self._reading is not None
        if number is not None:
            self.process.send_signal(number)
        out = await asyncio.wait_for(self.process.stdout.read(), 90)
        await self._reading
        await self.process.wait()
        return json.loads(out.splitlines()[-1]) if out else {}

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode())
            self._said.set()


async def everything(connection: str, hub: str = "telemetry") -> list[tuple[str, bytes]]:
    """Partition key and body of every event in the hub, each partition's in order."""
    got: list[tuple[str, bytes]] = []
    client = EventHubConsumerClient.from_connection_string(connection, "$Default", eventhub_name=hub)
    async with client:
        for partition in await client.get_partition_ids():
            last = (await client.get_partition_properties(partition))["last_enqueued_sequence_number"]
            if last < 0:
                continue
            done = asyncio.Event()

            async def take(_: Any, event: Any, last: int = last, done: asyncio.Event = done) -> None:
                got.append(((event.partition_key or b"").decode(), event.body_as_str().encode()))
                if event.sequence_number >= last:
                    done.set()

            receiving = asyncio.create_task(client.receive(take, partition_id=partition, starting_position="-1"))
            await asyncio.wait_for(done.wait(), 60)
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
    return got
