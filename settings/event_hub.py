"""How to reach the hub, which is read later than the rest: see ``settings``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from settings.app import Settings
from settings.errors import SettingError
from settings.reader import Reader


@dataclass(frozen=True)
class EventHub:
    """How to reach the hub: a connection string, or a namespace that is entered with the app's identity."""

    name: str
    consumer_group: str
    connection_string: str | None
    fully_qualified_namespace: str | None


def read_event_hub(environ: Mapping[str, str], settings: Settings) -> EventHub:
    """How to reach the hub. ``SettingError`` when neither form of ``EventHubConnection`` is set."""
    read = Reader(environ)
    connection = read.optional("EventHubConnection")
    namespace = read.optional("EventHubConnection__fullyQualifiedNamespace")
    if connection is not None and namespace is not None:
        raise SettingError(
            "EventHubConnection",
            "is set; allowed: that or EventHubConnection__fullyQualifiedNamespace, which is set too",
        )
    if connection is None and namespace is None:
        raise SettingError(
            "EventHubConnection",
            "is not set; allowed: a connection string, or EventHubConnection__fullyQualifiedNamespace with the "
            "namespace's host name",
        )
    if connection is not None and not re.match(r"(?i)(.*;)?\s*Endpoint=sb://", connection):
        raise SettingError(
            "EventHubConnection", "is no Event Hubs connection string (Endpoint=sb://…; value not shown)"
        )
    return EventHub(settings.event_hub_name, settings.event_hub_consumer_group, connection, namespace)
