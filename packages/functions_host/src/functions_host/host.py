"""The host: puts the parts together, starts them in order and stops them in order."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functions_host import banner
from functions_host.errors import StartError
from functions_host.eventhubs.connection import (
    Source,
    local_connection_string,
    point_settings_at_local_hub,
    source_of,
)
from functions_host.eventhubs.listener import EventHubListener
from functions_host.eventhubs.output import EventHubOutputs
from functions_host.files import write_atomically
from functions_host.functions import FunctionInfo, Slot, index
from functions_host.host_json import HostJson, read_host_json
from functions_host.http.admin import Admin
from functions_host.http.cors import Cors
from functions_host.http.route_rules import problems, route_of
from functions_host.http.server import HttpServer, bind
from functions_host.hub_process import HubProcess
from functions_host.invoker import Invoker
from functions_host.loader import load_app
from functions_host.manual import ManualTrigger
from functions_host.selection import LeftOut, Rules, select
from functions_host.settings import LocalSettings, apply_local_settings, read_local_settings
from functions_host.timers.service import TimerService

logger = logging.getLogger("functions_host")

GRACE_SECONDS = 10.0
# Kept back from the grace for closing files and connections after the functions have ended.
_CLOSING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Options:
    """The command line. Port 0: any free one. `data_dir` None: ``.data`` in the app's folder."""

    app_dir: Path
    host: str = "127.0.0.1"
    port: int | None = None
    data_dir: Path | None = None
    event_hubs: bool = True
    event_hubs_port: int = 5672
    ready_file: Path | None = None
    skip_unsupported: bool = False
    partitions: Mapping[str, int] = field(default_factory=dict)


class Host:
    """One app, from settings to listeners. Use: ``host = Host(options); await host.start(); …; await host.stop()``."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._app_dir = options.app_dir.resolve()
        self._data_dir = (options.data_dir or self._app_dir / ".data").resolve()
        self._local: LocalSettings = read_local_settings(self._app_dir)
        apply_local_settings(self._local)
        self.config: HostJson = read_host_json(self._app_dir)
        self.functions: list[FunctionInfo] = []
        self.left_out: list[LeftOut] = []
        self.errors: dict[str, str] = {}
        self._hub_port: int | None = None
        self._hub: HubProcess | None = None
        self._hub_settings: list[str] = []
        self._listeners: list[EventHubListener] = []
        self._stopped = False

    async def start(self) -> None:
        """Load the app and start everything; returns when all listens. Raises StartError."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self._reserve_ports()
        if self._options.ready_file is not None:
            # One that an earlier run left would tell of a process and a port that are gone.
            self._options.ready_file.resolve().unlink(missing_ok=True)
        self._set_defaults()
        self._app, found = load_app(self._app_dir)
        script = os.environ.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py"
        rules = Rules(self.config.functions, self._options.skip_unsupported)
        found, self.left_out = select(found, rules, script)
        self.functions = index(found, script)
        sources = self._event_hub_sources()
        self._build()
        for function, source in sources:
            self._listeners.append(
                EventHubListener(function, source, self.config.event_hubs, self.invoker, self._data_dir)
            )
        self.invoker.start()
        await self._start_hub()
        await self.http.start(self._http_socket)
        if self.durable is not None:
            await self.durable.start(self.base_url)
        await self._warm_up()
        self.http.accepting = True
        for listener in self._listeners:
            listener.start()
        self.timers.start()
        self.admin.state = "Running"
        self._announce()

    async def stop(self) -> None:
        """Take no new work, let running work finish within 10 s, close everything."""
        if self._stopped:
            return
        self._stopped = True
        until = time.monotonic() + GRACE_SECONDS - _CLOSING_SECONDS
        self.admin.state = "Stopping"
        self.timers.stop_firing()
        for listener in self._listeners:
            listener.stop_receiving()
        await self.http.stop_listening()
        await asyncio.gather(
            self._guarded("functions", self.invoker.drain(max(0.1, until - time.monotonic()))),
            self._guarded("durable engine", self._stop_durable(max(0.1, until - time.monotonic()))),
        )
        await self._guarded("listeners", asyncio.gather(*(listener.close() for listener in self._listeners)))
        await self._guarded("timers", self.timers.close())
        await self._guarded("Event Hubs outputs", self.outputs.close())
        await self._guarded("HTTP", self.http.close())
        await self._guarded("ASGI app", self._end_lifespan())
        if self._hub is not None:
            await self._guarded("local Event Hubs", self._hub.stop())
        self.invoker.close()

    def kill(self) -> None:
        """For a second signal: leave nothing behind, wait for nothing."""
        if self._hub is not None:
            self._hub.kill()

    def url_of(self, function: FunctionInfo | LeftOut) -> str | None:
        """Path of an HTTP function with its prefix; None for the others."""
        if function.kind != "httpTrigger" or function.name in self.errors:
            return None
        parts = [self.config.route_prefix, route_of(function).strip("/")]
        return "/" + "/".join(part for part in parts if part)

    def _reserve_ports(self) -> None:
        options = self._options
        wanted = options.port if options.port is not None else _local_port(self._local.host.get("LocalHttpPort"))
        self._http_socket = bind(options.host, wanted)
        port = self._http_socket.getsockname()[1]
        shown = "127.0.0.1" if options.host in ("0.0.0.0", "") else options.host
        self.base_url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
        if options.event_hubs:
            # Bound for as long as the host lives, but never listening: the port stays the local hub's, also while
            # the hub restarts, and its address can be told to the app before the hub knows which hubs to hold.
            self._hub_socket = bind("127.0.0.1", options.event_hubs_port)
            self._hub_port = self._hub_socket.getsockname()[1]

    def _set_defaults(self) -> None:
        if self._hub_port is not None:
            self._hub_settings = point_settings_at_local_hub(self._hub_port)
        app_data = self._data_dir / "app"
        app_data.mkdir(exist_ok=True)
        os.environ.setdefault("DATA_DIR", str(app_data))
        os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
        os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
        os.environ.setdefault("AzureWebJobsScriptRoot", str(self._app_dir))
        os.environ.setdefault("WEBSITE_HOSTNAME", self.base_url.removeprefix("http://"))
        count = os.environ.get("FUNCTIONS_WORKER_PROCESS_COUNT", "1")
        if count != "1":
            logger.warning("FUNCTIONS_WORKER_PROCESS_COUNT=%s is ignored: this host runs the app in one process", count)

    def _event_hub_sources(self) -> list[tuple[FunctionInfo, Source]]:
        found: list[tuple[FunctionInfo, Source]] = []
        hubs: set[str] = set()
        for function in self.functions:
            for binding in function.bindings:
                if binding["type"] not in ("eventHubTrigger", "eventHub"):
                    continue
                source = source_of(binding, function.name, local_port=self._hub_port)
                if source.is_local:
                    hubs.add(source.hub)
                if binding is function.trigger:
                    found.append((function, source))
        if hubs and self._hub_port is not None:
            self._hub = HubProcess(self._hub_port, hubs, self._data_dir, partitions=self._options.partitions)
        return found

    def _build(self) -> None:
        config = self.config
        self.outputs = EventHubOutputs(lambda binding: source_of(binding, "output", local_port=self._hub_port))
        self.invoker = Invoker(
            timeout=config.function_timeout, read_input=self._client_datum, write_output=self.outputs.write
        )
        cors = Cors.from_settings(self._local.host)
        self.http = HttpServer(
            self.invoker, route_prefix=config.route_prefix, max_body=config.max_request_bytes, cors=cors
        )
        by_kind: dict[str, list[FunctionInfo]] = {}
        for function in self.functions:
            by_kind.setdefault(function.kind, []).append(function)
        self.errors = problems(by_kind.get("httpTrigger", []))
        for function in by_kind.get("httpTrigger", []):
            if function.name in self.errors:
                logger.error("The '%s' function is in error: %s", function.name, self.errors[function.name])
            else:
                self.http.add_function(function)
        for unused in self.left_out:
            logger.warning("function %s is not run: %s", unused.name, unused.reason)
            if unused.kind == "httpTrigger":
                self.http.add_function(unused)
        self.timers = TimerService(by_kind.get("timerTrigger", []), self.invoker, self._data_dir)
        self._warm_ups = by_kind.get("warmupTrigger", [])
        self._build_durable()
        manual = ManualTrigger(self.invoker, self.timers, self.durable)
        self.admin = Admin(
            self.functions, self.url_of, manual, left_out=self.left_out, errors=self.errors, warm_up=self._warm_up
        )
        self.http.mount("admin", self.admin.handle)

    def _build_durable(self) -> None:
        self.durable: Any = None
        kinds = {str(binding["type"]) for function in self.functions for binding in function.bindings}
        if kinds & {"orchestrationTrigger", "activityTrigger", "entityTrigger", "durableClient"}:
            from functions_host.durable_service import PREFIX, DurableService

            config = self.config
            self.durable = DurableService(
                self.functions, self.invoker, config.raw, self._data_dir, config.max_request_bytes, self.left_out
            )
            self.http.mount(PREFIX, self.durable.handle)

    def _client_datum(self, slot: Slot) -> Any:
        return self.durable.client_datum(slot)

    async def _start_hub(self) -> None:
        if self._hub is None:
            return
        await self._hub.start()
        for name in self._hub_settings:
            logger.info("the setting %s names the local Event Hubs on port %d", name, self._hub.port)
        for listener in self._listeners:
            if listener.source.is_local:
                logger.info(
                    "%s reads the local Event Hub %s (port %d)",
                    listener.function.name,
                    listener.source.hub,
                    self._hub.port,
                )

    async def _warm_up(self) -> None:
        from azure.functions.meta import Datum

        for function in self._warm_ups:
            await self._guarded(function.name, self.invoker.invoke(function, Datum("{}", "json")))

    async def _stop_durable(self, grace: float) -> None:
        if self.durable is not None:
            await self.durable.stop(grace)

    async def _end_lifespan(self) -> None:
        """Tell an AsgiFunctionApp's application of the end; left to its destructor it would happen in another loop."""
        if getattr(self._app, "startup_task_done", False):
            self._app.startup_task_done = False
            await asyncio.wait_for(self._app.middleware.notify_shutdown(), _CLOSING_SECONDS)

    @staticmethod
    async def _guarded(what: str, work: Awaitable[Any]) -> None:
        """One part that fails to stop must not keep the others from stopping."""
        try:
            await work
        except Exception:
            logger.exception("%s did not stop cleanly", what)

    def _announce(self) -> None:
        sys.stdout.write(banner.describe(self.functions, self.url_of, self.base_url) + "\n")
        sys.stdout.flush()
        logger.info("the host runs on %s (process %d); Ctrl-C stops it", self.base_url, os.getpid())
        if self._options.ready_file is not None:
            connection = None if self._hub is None else local_connection_string(self._hub.port)
            ready = {"pid": os.getpid(), "url": self.base_url, "eventHubConnection": connection}
            write_atomically(self._options.ready_file.resolve(), json.dumps(ready))


def _local_port(value: Any) -> int:
    if value in (None, ""):
        return 7071
    if not str(value).isdigit() or int(value) > 65535:
        raise StartError(f"local.settings.json: Host.LocalHttpPort {value!r} is not a port number")
    return int(value)


__all__ = ["Host", "Options", "StartError"]
