"""The host: starts its parts in order and stops them in order. User code runs in the workers, never here."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable
from typing import Any

from functions_host import banner, garbage
from functions_host.clock import CLOCK, IDS
from functions_host.errors import StartError
from functions_host.eventhubs.connection import local_connection_string, point_settings_at_local_hub
from functions_host.files import write_atomically
from functions_host.host_json import HostJson, read_host_json
from functions_host.http.cors import Cors
from functions_host.limits import thread_count, worker_count
from functions_host.options import Options
from functions_host.parts import Parts, assemble
from functions_host.payloads import EMPTY
from functions_host.pool.call import Call
from functions_host.pool.crew import Beginning, CrewOptions
from functions_host.pool.pool import WorkerPool
from functions_host.ports import Ports
from functions_host.settings import LocalSettings, apply_local_settings, read_local_settings

logger = logging.getLogger("functions_host")

GRACE_SECONDS = 10.0
# Kept back from the grace for closing files and connections after the functions have ended.
_CLOSING_SECONDS = 2.0


class Host:
    """One app, from settings to listeners. Use: ``host = Host(options); await host.start(); …; await host.stop()``."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._app_dir = options.app_dir.resolve()
        self._data_dir = (options.data_dir or self._app_dir / ".data").resolve()
        self._local: LocalSettings = read_local_settings(self._app_dir)
        apply_local_settings(self._local)
        self.config: HostJson = read_host_json(self._app_dir)
        self._pool: WorkerPool | None = None
        self._parts: Parts | None = None
        self._stopping = False

    async def start(self) -> None:
        """Load the app and start everything; returns when all listens. Raises StartError."""
        self._prepare_folders()
        ports = Ports.reserve(self._options, self._local.host.get("LocalHttpPort"))
        repointed = self._set_defaults(ports)
        pool = self._pool = WorkerPool(self._pool_options())
        app = await pool.load()
        parts = self._parts = assemble(
            app, pool, self._options, self.config, self._local, self._data_dir, ports.hub_port
        )
        parts.invoker.start()
        await self._start_hub(parts, repointed)
        await parts.http.start(ports.http)
        if parts.durable is not None:
            await parts.durable.start(ports.base_url)
        await self._begin(pool, parts)
        parts.http.accepting = True
        for listener in parts.listeners:
            listener.start()
        parts.timers.start()
        parts.admin.state = "Running"
        garbage.settle()
        self._announce(parts, ports.base_url)

    async def stop(self) -> None:
        """Take no new work, let running work finish within 10 s, close everything."""
        pool, parts = self._pool, self._parts
        if pool is None or self._stopping:
            return
        self._stopping = True
        until = CLOCK.monotonic() + GRACE_SECONDS - _CLOSING_SECONDS
        if parts is not None:
            await self._stop_triggers(parts, until)
        ending = [self._guarded("worker processes", pool.stop())]
        if parts is not None and parts.hub is not None:
            ending.append(self._guarded("local Event Hubs", parts.hub.stop()))
        await asyncio.gather(*ending)
        if parts is not None:
            # Requests whose function did not end have failed with its worker, and been answered.
            await self._guarded("HTTP", parts.http.close())
            parts.invoker.close()

    async def _stop_triggers(self, parts: Parts, until: float) -> None:
        parts.admin.state = "Stopping"
        parts.timers.stop_firing()
        for listener in parts.listeners:
            listener.stop_receiving()
        await parts.http.stop_listening()
        work = [self._guarded("functions", parts.invoker.drain(max(0.1, until - CLOCK.monotonic())))]
        if parts.durable is not None:
            work.append(self._guarded("durable engine", parts.durable.finish(max(0.1, until - CLOCK.monotonic()))))
        await asyncio.gather(*work)
        await self._guarded("listeners", asyncio.gather(*(listener.close() for listener in parts.listeners)))
        await self._guarded("timers", parts.timers.close())
        await self._guarded("Event Hubs outputs", parts.outputs.close())
        if parts.durable is not None:  # until here the functions that were ending could ask it for something
            await self._guarded("durable engine", parts.durable.close())

    def kill(self) -> None:
        """For a second signal, from any thread: leave nothing behind, wait for nothing."""
        pool, parts = self._pool, self._parts
        if pool is not None:
            pool.kill()
        if parts is not None and parts.hub is not None:
            parts.hub.kill()

    def _prepare_folders(self) -> None:
        try:
            (self._data_dir / "app").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(
                f"--data must be a folder that can be written, not {self._data_dir}: {_why(error)}"
            ) from None
        ready = self._options.ready_file
        if ready is None:
            return
        try:
            # One that an earlier run left would tell of a process and a port that are gone.
            ready.resolve().unlink(missing_ok=True)
            # Tried beside it: whoever waits for the file must not find an empty one.
            beside = ready.resolve().with_name(f".{ready.name}.{os.getpid()}.try")
            write_atomically(beside, "")
            beside.unlink()
        except OSError as error:
            raise StartError(f"--ready-file must be a file that can be written, not {ready}: {_why(error)}") from None

    def _set_defaults(self, ports: Ports) -> list[str]:
        """The environment the app will find; returns the names of the settings that name the local hub."""
        repointed = [] if ports.hub_port is None else point_settings_at_local_hub(ports.hub_port)
        os.environ.setdefault("DATA_DIR", str(self._data_dir / "app"))
        os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
        os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
        os.environ.setdefault("AzureWebJobsScriptRoot", str(self._app_dir))
        os.environ.setdefault("WEBSITE_HOSTNAME", ports.base_url.removeprefix("http://"))
        cors = Cors.from_settings(self._local.host)
        if cors is not None:
            # As the platform tells an app, for one that guards itself against pages of other sites.
            os.environ.setdefault("WEBSITE_CORS_ALLOWED_ORIGINS", json.dumps(sorted(cors.origins)))
        return repointed

    def _pool_options(self) -> CrewOptions:
        thread_count()  # a wrong one is to be said once, not by each worker
        options = self._options
        load = {
            "app_dir": str(self._app_dir),
            "script": os.environ.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py",
            "verbose": options.verbose,
            "json_logs": options.json_logs,
            "log_levels": dict(self.config.log_levels),
            "only": self.config.functions,
            "skip_unsupported": options.skip_unsupported,
        }
        return CrewOptions(worker_count(), self._app_dir, load)

    async def _start_hub(self, parts: Parts, repointed: list[str]) -> None:
        if parts.hub is None:
            return
        await parts.hub.start()
        for name in repointed:
            logger.info("the setting %s names the local Event Hubs on port %d", name, parts.hub.port)
        for listener in parts.listeners:
            if listener.source.is_local:
                name, hub = listener.function.name, listener.source.hub
                logger.info("%s reads the local Event Hub %s (port %d)", name, hub, parts.hub.port)

    async def _begin(self, pool: WorkerPool, parts: Parts) -> None:
        warm_ups = parts.of_kind("warmupTrigger")

        def warm_up() -> list[Call]:
            return [Call(function.name, IDS.guid(), EMPTY, None, None) for function in warm_ups]

        durable = parts.durable
        if durable is None:
            await pool.begin(Beginning([], None, warm_up), None)
        else:
            await pool.begin(Beginning(durable.clients(), durable.rpc_base_url, warm_up), durable.ask, durable)

    @staticmethod
    async def _guarded(what: str, work: Awaitable[Any]) -> None:
        """One part that fails to stop must not keep the others from stopping."""
        try:
            await work
        except Exception:
            logger.exception("%s did not stop cleanly", what)

    def _announce(self, parts: Parts, base_url: str) -> None:
        sys.stdout.write(banner.describe(parts.functions, parts.path_of, base_url) + "\n")
        sys.stdout.flush()
        logger.info("the host runs on %s (process %d); Ctrl-C stops it", base_url, os.getpid())
        if self._options.ready_file is not None:
            connection = None if parts.hub is None else local_connection_string(parts.hub.port)
            ready = {"pid": os.getpid(), "url": base_url, "eventHubConnection": connection}
            write_atomically(self._options.ready_file.resolve(), json.dumps(ready))


def _why(error: OSError) -> str:
    return error.strerror or str(error)


__all__ = ["Host", "Options", "StartError"]
