"""What a host is made of, and how it is put together for the functions of an app."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from functions_host.described import App
from functions_host.errors import FunctionFailed
from functions_host.eventhubs.connection import Source, source_of
from functions_host.eventhubs.listener import EventHubListener
from functions_host.eventhubs.output import EventHubOutputs
from functions_host.functions import FunctionInfo
from functions_host.host_json import HostJson
from functions_host.http.admin import Admin
from functions_host.http.cors import Cors
from functions_host.http.guard import Guard
from functions_host.http.route_rules import problems, route_of
from functions_host.http.server import HttpServer
from functions_host.hub_process import HubProcess
from functions_host.invoker import Invoker, Workers
from functions_host.manual import ManualTrigger
from functions_host.options import Options
from functions_host.payloads import EMPTY
from functions_host.selection import LeftOut, unknown_names
from functions_host.settings import LocalSettings
from functions_host.timers.service import TimerService

if TYPE_CHECKING:
    from functions_host.durable_service import DurableService

logger = logging.getLogger("functions_host")

_DURABLE = frozenset({"orchestrationTrigger", "activityTrigger", "entityTrigger", "durableClient"})


@dataclass(frozen=True, slots=True)
class Parts:
    """`hub` is None when nothing reads or writes a local hub, `durable` when nothing is durable."""

    functions: list[FunctionInfo]
    path_of: Callable[[FunctionInfo | LeftOut], str | None]
    invoker: Invoker
    outputs: EventHubOutputs
    http: HttpServer
    timers: TimerService
    admin: Admin
    listeners: list[EventHubListener]
    hub: HubProcess | None
    durable: DurableService | None

    def of_kind(self, kind: str) -> list[FunctionInfo]:
        return [function for function in self.functions if function.kind == kind]


def assemble(
    app: App,
    workers: Workers,
    options: Options,
    config: HostJson,
    local: LocalSettings,
    data_dir: Path,
    hub_port: int | None,
) -> Parts:
    """Nothing is started yet. Raises StartError for what does not fit together."""
    functions = app.functions
    sources, hubs = _event_hub_sources(functions, hub_port)
    outputs = EventHubOutputs(lambda binding: source_of(binding, "output", local_port=hub_port))
    invoker = Invoker(workers, timeout=config.function_timeout, write_output=outputs.write)
    cors = Cors.from_settings(local.host)
    closed = _is_closed(options, config)
    http = HttpServer(
        invoker,
        route_prefix=config.route_prefix,
        max_body=config.max_request_bytes,
        cors=cors,
        guard=Guard.of(options.allowed_hosts, cors, closed=closed),
    )
    errors = problems([function for function in functions if function.kind == "httpTrigger"])
    for function in functions:
        if function.name in errors:
            logger.error("The '%s' function is in error: %s", function.name, errors[function.name])
        elif function.kind == "httpTrigger":
            http.add_function(function)
    names = [*(function.name for function in functions), *(unused.name for unused in app.left_out)]
    for what in unknown_names(names, config.functions, os.environ):
        logger.warning("%s, which is no function of the app", what)
    for unused in app.left_out:
        logger.warning("function %s is not run: %s", unused.name, unused.reason)
        if unused.kind == "httpTrigger":
            http.add_function(unused)
    timers = TimerService([each for each in functions if each.kind == "timerTrigger"], invoker, data_dir)
    durable = None
    if any(binding["type"] in _DURABLE for function in functions for binding in function.bindings):
        from functions_host.durable_service import PREFIX, DurableService

        # A closed management API is closed to the app's own durable clients too; they get a way of their own.
        token = secrets.token_hex(16) if closed else ""
        durable = DurableService(
            functions, invoker, config.raw, data_dir, config.max_request_bytes, app.left_out, rpc_token=token
        )
        http.mount(PREFIX, durable.handle)
        if token:
            http.mount(f"{PREFIX}/{token}", durable.handle, secret=True)
    elif config.configures_durable:
        from functions_host.durable_service import durable_options

        durable_options(config.raw)  # a wrong value is named before there is a function that needs it
    path_of = _paths(config.route_prefix, errors)
    hub = None
    if hubs and hub_port is not None:
        kept = options.event_hubs_retention_mib
        hub = HubProcess(hub_port, hubs, data_dir, partitions=options.partitions, retention_mib=kept)
    admin = Admin(
        functions,
        path_of,
        ManualTrigger(invoker, timers, durable),
        left_out=app.left_out,
        errors=errors,
        warm_up=_warm_ups(functions, invoker),
        problems=lambda: [part.problem for part in (hub, durable) if part is not None and part.problem is not None],
    )
    http.mount("admin", admin.handle)
    listeners = [
        EventHubListener(function, source, config.event_hubs, invoker, data_dir) for function, source in sources
    ]
    return Parts(functions, path_of, invoker, outputs, http, timers, admin, listeners, hub, durable)


def _is_closed(options: Options, config: HostJson) -> bool:
    if options.management is not None:
        return options.management == "closed"
    return config.closes_management(os.environ)


def _paths(prefix: str, errors: Mapping[str, str]) -> Callable[[FunctionInfo | LeftOut], str | None]:
    """Path of an HTTP function with its prefix; None for the others, and for one in error."""

    def path_of(function: FunctionInfo | LeftOut) -> str | None:
        if function.kind != "httpTrigger" or function.name in errors:
            return None
        return "/" + "/".join(part for part in (prefix, route_of(function).strip("/")) if part)

    return path_of


def _warm_ups(functions: list[FunctionInfo], invoker: Invoker) -> Callable[[], Awaitable[None]]:
    async def warm_up() -> None:
        for function in functions:
            if function.kind == "warmupTrigger":
                with contextlib.suppress(FunctionFailed):  # logged where it happened
                    await invoker.invoke(function, EMPTY)

    return warm_up


def _event_hub_sources(
    functions: list[FunctionInfo], hub_port: int | None
) -> tuple[list[tuple[FunctionInfo, Source]], set[str]]:
    """What each Event Hubs trigger reads, and the hubs that the local Event Hubs must hold."""
    found: list[tuple[FunctionInfo, Source]] = []
    hubs: set[str] = set()
    for function in functions:
        for binding in function.bindings:
            if binding["type"] not in ("eventHubTrigger", "eventHub"):
                continue
            source = source_of(binding, function.name, local_port=hub_port)
            if source.is_local:
                hubs.add(source.hub)
            if binding is function.trigger:
                found.append((function, source))
    return found, hubs
