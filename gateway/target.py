"""Which hub to send to, and what its errors mean: for the gateway and for the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azure.eventhub import parse_connection_string
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError

DEFAULT_HUB = "telemetry"
_NOT_FOUND = ("amqp:not-found", "messaging entity", "not found")


class HubUnavailable(Exception):
    """The hub cannot be reached or did not acknowledge; asking again may help."""


class HubRefused(Exception):
    """The hub will not have it (no such hub, wrong key): asking again does not help."""


class InvalidTarget(ValueError):
    """The connection settings say no hub."""


@dataclass(frozen=True)
class Target:
    """Which hub: by connection string, or by fully qualified namespace with the identity the environment gives."""

    hub: str
    connection: str | None = None
    namespace: str | None = None

    @classmethod
    def of(cls, connection: str | None, namespace: str | None, hub: str | None) -> Target:
        """``hub`` counts before the connection string's EntityPath; without either it is ``telemetry``.
        Raises InvalidTarget."""
        if connection:
            try:
                parsed = parse_connection_string(connection)
            except ValueError as error:
                raise InvalidTarget(f"not an Event Hubs connection string: {error}") from None
            return cls(hub or parsed.eventhub_name or DEFAULT_HUB, connection=connection)
        if namespace:
            return cls(hub or DEFAULT_HUB, namespace=namespace)
        raise InvalidTarget("no hub to send to: give --connection, or set EventHubConnection")

    def client(self) -> tuple[EventHubProducerClient, Any]:
        """A new client, and the credential to be closed after it (None with a connection string)."""
        # Few retries inside: who sends retries until it is stopped, and tells about it.
        common = {"retry_total": 1, "retry_backoff_factor": 0.2}
        if self.connection is not None:
            client = EventHubProducerClient.from_connection_string(self.connection, eventhub_name=self.hub, **common)
            return client, None
        # Imported where it is needed: with a connection string nobody waits for it.
        from azure.identity.aio import DefaultAzureCredential

        credential = DefaultAzureCredential()
        return EventHubProducerClient(self.namespace, self.hub, credential, **common), credential


def told(error: Exception, hub: str) -> HubUnavailable | HubRefused:
    """The SDK's error as one of ours, in one line."""
    text = " ".join(str(error).split()).partition(" Error condition:")[0] or type(error).__name__
    # Asked first: a token for a hub that is not there is refused as such, too.
    if isinstance(error, EventHubError) and any(mark in text.lower() for mark in _NOT_FOUND):
        return HubRefused(f"there is no hub {hub!r} there: {text}")
    if isinstance(error, AuthenticationError):
        return HubRefused(f"the hub refuses these credentials: {text}")
    return HubUnavailable(text)
