"""The emulator as an object: open the data folder, listen, and stop."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from .hubs import Hubs
from .log.options import LogOptions
from .server.connection import Connection
from .server.listener import Listener
from .server.service import Limits, Service
from .server.syncer import Syncer

_LOGGER = logging.getLogger(__name__)
_RETENTION_CHECK_SECONDS = 30.0
DEFAULT_PORT = 5672


def connection_string(port: int) -> str:
    """The connection string by which azure-eventhub's clients reach an emulator on this machine."""
    return (
        f"Endpoint=sb://localhost:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )


class EventHubsEmulator:
    """A local Event Hubs, listening while it is entered.

        async with EventHubsEmulator(".data/hubs", hubs={"telemetry": 4}, port=0) as hub:
            EventHubProducerClient.from_connection_string(hub.connection_string, eventhub_name="telemetry")

    `hubs` maps names to numbers of partitions; hubs already in `data_dir` are served as well. `port` 0 takes a free
    one. With `fsync`, a send is acknowledged after its events were forced onto the disk; without, after they were
    written to the operating system, which survives the end of this process but not that of the machine.
    Entering raises OSError (the port), hubs.HubConfigError, or log.files.DataLockedError.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str],
        hubs: Mapping[str, int] | None = None,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        fsync: bool = False,
        log_options: LogOptions | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._data_dir = Path(data_dir)
        self._wanted = dict(hubs or {})
        self._fsync = fsync
        self._log_options = replace(log_options or LogOptions(), fsync=fsync)
        self._limits = limits or Limits()
        self._hubs: Hubs | None = None
        self._service: Service | None = None
        self._listener: Listener | None = None
        self._retention: asyncio.Task[None] | None = None

    @property
    def connection_string(self) -> str:
        """The connection string, without EntityPath. Its port is right once the emulator listens."""
        return connection_string(self.port)

    @property
    def hub_sizes(self) -> dict[str, int]:
        """The hubs served, by name, with their number of partitions."""
        return {hub.name: len(hub.partitions) for hub in self._hubs or ()}

    @property
    def write_failure(self) -> str | None:
        """Where and why the last write failed; None if the last one succeeded."""
        return self._service.health.failure if self._service is not None else None

    async def start(self) -> None:
        """Open the data folder and listen."""
        loop = asyncio.get_running_loop()
        self._hubs = Hubs(self._data_dir, self._wanted, self._log_options)
        service = Service(self._hubs, self._limits, Syncer() if self._fsync else None)
        self._service = service
        try:
            self._listener = Listener(self.host, self.port, lambda: Connection(service, loop))
        except BaseException:
            self._hubs.close()
            self._hubs = None
            raise
        self.port = self._listener.port
        self._retention = loop.create_task(self._keep_retention())

    async def _keep_retention(self) -> None:
        while self._hubs is not None:
            try:
                self._hubs.drop_expired()
            except OSError:
                _LOGGER.exception("retention could not be applied; it is tried again")
            await asyncio.sleep(_RETENTION_CHECK_SECONDS)

    async def stop(self) -> None:
        """Close every connection and the log; at most about half a second."""
        if self._retention is not None:
            self._retention.cancel()
        if self._listener is not None:
            await self._listener.close()
        if self._service is not None:
            await self._service.close()
        if self._hubs is not None:
            self._hubs.close()
        self._hubs = self._service = self._listener = self._retention = None

    async def __aenter__(self) -> EventHubsEmulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
