"""Where the host will listen: bound before the app is loaded, so that the app can be told."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from functions_host.errors import StartError
from functions_host.http.server import bind
from functions_host.options import Options


@dataclass(frozen=True, slots=True)
class Ports:
    """`hub` is bound for as long as the host lives, but never listens: the port stays the local hub's, also while the
    hub restarts, and its address can be told to the app before the hub knows which hubs to hold."""

    http: socket.socket
    base_url: str
    hub: socket.socket | None

    @classmethod
    def reserve(cls, options: Options, local_port: Any) -> Ports:
        """`local_port`: LocalHttpPort of local.settings.json. StartError for a port that is not free."""
        http = bind(options.host, options.port if options.port is not None else _local_port(local_port))
        port = http.getsockname()[1]
        shown = "127.0.0.1" if options.host in ("0.0.0.0", "") else options.host
        base_url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
        hub = bind("127.0.0.1", options.event_hubs_port, "--event-hubs-port") if options.event_hubs else None
        return cls(http, base_url, hub)

    @property
    def hub_port(self) -> int | None:
        return None if self.hub is None else int(self.hub.getsockname()[1])


def _local_port(value: Any) -> int:
    if value in (None, ""):
        return 7071
    if not str(value).isdigit() or int(value) > 65535:
        raise StartError(f"local.settings.json: Host.LocalHttpPort {value!r} is not a port number")
    return int(value)
