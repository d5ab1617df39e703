"""A local Event Hubs for the azure-eventhub clients: AMQP 1.0, with a durable log on disk."""

from .emulator import EventHubsEmulator, connection_string
from .hubs import HubConfigError
from .log.files import DataLockedError
from .log.options import LogOptions
from .server.service import Limits

__all__ = ["DataLockedError", "EventHubsEmulator", "HubConfigError", "Limits", "LogOptions", "connection_string"]
