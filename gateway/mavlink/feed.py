"""MAVLink sources as feeds: live links together, or a recording."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway.feed import StoppedFeed
from gateway.forward import Forwarder
from gateway.journal import Journal
from gateway.mavlink.links import Source, listen
from gateway.mavlink.packets import Packets
from gateway.mavlink.recording import NothingRecorded, play
from gateway.mavlink.station import Station, encoded
from gateway.needs import NotInstalled
from gateway.pace import Pace

# The interval itself, and what may be on its way when it ends.
_KEPT_BEYOND_INTERVAL = 2.0


class LiveFeed:
    """All live links of one gateway."""

    finite = False

    def __init__(
        self,
        sources: Sequence[Source],
        forwarder: Forwarder,
        folder: Path,
        interval: float,
        device_ids: Mapping[str, str],
        *,
        request_rates: float | None,
        tell: Callable[[str], None],
    ) -> None:
        self._sources = sources
        self._journal = Journal(folder, interval + _KEPT_BEYOND_INTERVAL)
        self._station = Station(interval, device_ids, forwarder, self._journal, request_rates=request_rates, tell=tell)

    @property
    def messages(self) -> int:
        return self._station.messages

    async def run(self) -> None:
        await self._station.restore()
        tasks = [asyncio.ensure_future(listen(source, self._station)) for source in self._sources]
        tasks.append(asyncio.ensure_future(self._station.run()))
        try:
            await asyncio.gather(*tasks)
        except (OSError, NotInstalled) as error:
            raise StoppedFeed(str(error)) from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def flush(self) -> None:
        await self._station.flush()
        self._journal.close()

    def describe(self) -> str:
        return self._station.describe()


class Recording:
    """One ``.tlog`` file. Where the spool is full it waits: a file can."""

    def __init__(self, forwarder: Forwarder, interval: float, device_ids: Mapping[str, str]) -> None:
        self.packets = Packets()
        self._forwarder = forwarder
        self._interval = interval
        self._device_ids = device_ids

    async def send(self, path: Path, pace: Pace, progress: Callable[[float], None]) -> int:
        """How many messages it gave. ``progress`` is told the fraction that is done. Raises StoppedFeed."""
        sent = 0
        try:
            playing = play(path, self._interval, self._device_ids, pace, packets=self.packets, progress=progress)
            async for messages in playing:
                await self._forwarder.put_patiently(encoded(messages))
                sent += len(messages)
        except (OSError, NothingRecorded) as error:
            raise StoppedFeed(str(error)) from error
        return sent
