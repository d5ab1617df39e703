"""Which Event Hub a trigger or an output means: the local one, an emulator's, or a namespace in Azure."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from functions_host.errors import StartError
from functions_host.settings import resolve

logger = logging.getLogger("functions_host.eventhubs")

DEFAULT_SETTING = "EventHubConnection"
_ANSWER_SECONDS = 1.0
_LOCAL_KEY = "SAS_KEY_VALUE"
_EMULATOR = re.compile(
    r"^\s*Endpoint=sb://(?:localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>\d{1,5}))?/?;(?=.*UseDevelopmentEmulator=true)(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Source:
    """An Event Hub and how to reach it: by connection string, or by namespace with an Azure identity."""

    hub: str
    connection_string: str | None = None
    namespace: str | None = None
    client_id: str | None = None
    is_local: bool = False

    @property
    def fully_qualified_namespace(self) -> str:
        if self.namespace:
            return self.namespace
        match = re.search(r"Endpoint=sb://([^/;]+)", self.connection_string or "", re.IGNORECASE)
        return match.group(1) if match else ""

    @property
    def checkpoint_key(self) -> str:
        """Names the hub in the checkpoint store: the local hub keeps its name whatever its port is."""
        return f"local/{self.hub}" if self.is_local else f"{self.fully_qualified_namespace}/{self.hub}"


def local_connection_string(port: int, host: str = "localhost") -> str:
    return (
        f"Endpoint=sb://{host}:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        f"SharedAccessKey={_LOCAL_KEY};UseDevelopmentEmulator=true;"
    )


def names_emulator(text: str) -> bool:
    """Whether a setting is a connection string of the local emulator."""
    return _EMULATOR.match(text) is not None


def point_at(text: str, port: int) -> str:
    """The same connection string, with the port the local hub really has."""
    match = _EMULATOR.match(text)
    return text if match is None else f"Endpoint=sb://localhost:{port};{match.group('rest')}"


def named_port(text: str) -> int | None:
    """The port an emulator's connection string names; None if it names none or is none."""
    match = _EMULATOR.match(text)
    return int(match.group("port")) if match is not None and match.group("port") else None


def speaks_amqp(port: int) -> bool:
    """Whether something on this machine answers AMQP on `port`: an emulator or another host's hub."""
    greeting = b"AMQP\x00\x01\x00\x00"
    try:
        with socket.create_connection(("localhost", port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(greeting)
            return connection.recv(4) == greeting[:4]
    except (OSError, OverflowError):
        return False


def point_settings_at_local_hub(
    port: int, environ: MutableMapping[str, str] | None = None, is_hub: Callable[[int], bool] = speaks_amqp
) -> list[str]:
    """Before the app is imported: every emulator connection string gets the local hub's port, and the customary
    `EventHubConnection` is set where neither it nor its identity form is. Returns the names changed or set.

    One that names the port of another hub that runs keeps it: that hub is meant, and is said to be read.
    """
    environ = os.environ if environ is None else environ
    changed = []
    for name, value in list(environ.items()):
        if not names_emulator(value):
            continue
        other = named_port(value)
        if other is not None and other != port and is_hub(other):
            logger.warning(
                "the setting %s names the Event Hubs on port %d, which run: they are used, not this host's own",
                name,
                other,
            )
            continue
        environ[name] = point_at(value, port)
        changed.append(name)
    if not environ.get(DEFAULT_SETTING) and not environ.get(f"{DEFAULT_SETTING}__fullyQualifiedNamespace"):
        environ[DEFAULT_SETTING] = local_connection_string(port)
        changed.append(DEFAULT_SETTING)
    return changed


def source_of(binding: dict[str, Any], function: str, *, local_port: int | None) -> Source:
    """Resolve the `connection` and `eventHubName` of a trigger or output binding.

    A connection set nowhere is the local hub (`local_port`), and is put into the environment under its name.
    Raises StartError, naming function and setting, if there is no local hub to fall back on.
    """
    where = f"function {function!r}"
    setting = resolve(str(binding.get("connection") or DEFAULT_SETTING), where)
    hub = resolve(str(binding.get("eventHubName") or ""), where)
    text = os.environ.get(setting)
    namespace = os.environ.get(f"{setting}__fullyQualifiedNamespace")
    if not text and namespace:
        if not hub:
            raise StartError(f"{where}: no Event Hub is named")
        return Source(hub, namespace=namespace, client_id=os.environ.get(f"{setting}__clientId"))
    if not text:
        if local_port is None:
            raise StartError(f"{where}: the Event Hubs connection {setting!r} is not set (and --no-event-hubs is on)")
        text = os.environ[setting] = local_connection_string(local_port)
    entity = re.search(r"EntityPath=([^;]+)", text, re.IGNORECASE)
    hub = hub or (entity.group(1) if entity else "")
    if not hub:
        raise StartError(f"{where}: no Event Hub is named, and the connection {setting!r} has no EntityPath")
    if "endpoint=" not in text.lower():
        raise StartError(f"{where}: the setting {setting!r} is no Event Hubs connection string")
    # The hub that the binding names wins over EntityPath, and the SDK wants no contradiction between the two.
    text = re.sub(r"EntityPath=[^;]*;?", "", text, flags=re.IGNORECASE)
    is_local = local_port is not None and names_emulator(text) and f":{local_port};" in text.replace("/;", ";")
    return Source(hub, connection_string=text, is_local=is_local)


def client_arguments(source: Source) -> dict[str, Any]:
    """Keyword arguments for azure-eventhub's clients (constructor or from_connection_string)."""
    if source.connection_string is not None:
        return {"conn_str": source.connection_string, "eventhub_name": source.hub}
    try:
        from azure.identity.aio import DefaultAzureCredential
    except ImportError:
        raise StartError(
            f"Event Hub {source.hub!r} is reached with an identity: install azure-identity (functions-host[identity])"
        ) from None
    options = {"managed_identity_client_id": source.client_id} if source.client_id else {}
    return {
        "fully_qualified_namespace": source.namespace,
        "eventhub_name": source.hub,
        "credential": DefaultAzureCredential(**options),
    }
