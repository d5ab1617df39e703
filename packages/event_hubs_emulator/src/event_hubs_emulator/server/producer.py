"""The link of a producer: split what it sends into events, append them, acknowledge."""

from __future__ import annotations

import logging

from event_hubs_emulator.amqp.errors import INTERNAL_ERROR, NOT_IMPLEMENTED, DeliveryFault, LinkFault
from event_hubs_emulator.message import split

from .address import Address
from .interfaces import LinkSession
from .link import ReceivingLink
from .link_request import LinkRequest

_LOGGER = logging.getLogger(__name__)


class ProducerLink(ReceivingLink):
    """Sends to a hub, or to one of its partitions."""

    def __init__(self, session: LinkSession, request: LinkRequest, address: Address) -> None:
        super().__init__(session, request)
        if request.wants_idempotent_publishing:
            # Taken without a word, a producer would believe that its retries are not stored twice.
            raise LinkFault(NOT_IMPLEMENTED, "Idempotent publishing is not available in this emulator; switch it off.")
        self._service = session.connection.service
        self._health = self._service.health
        self._hub = self._service.hub(address.hub)
        self._partition = self._service.partition(address) if address.partition is not None else None

    def on_delivery(self, delivery_id: int, settled: bool, payload: bytes, message_format: int) -> None:
        """Append the events, all or none; raises DeliveryFault or DecodeError if they cannot be taken."""
        sent = split(payload, message_format)
        log = self._partition or self._hub.route(sent.partition_key)
        try:
            first = log.append(sent.events)
        except OSError as error:
            # The condition is one that the service's SDKs take for transient: what is sent again may succeed.
            text = self._failed(f"the log of {log.label} cannot be written: {error}")
            raise DeliveryFault(INTERNAL_ERROR, text) from error

        if sent.rewritten:
            self._warn(log.label, first, sent.rewritten)

        def done(error: OSError | None) -> None:
            if error is None:
                if self._health.failure is not None:
                    self._health.succeeded()
                self.accept(delivery_id, settled)
            else:
                text = self._failed(f"{log.label} cannot be synced: {error}")
                self.refuse(delivery_id, settled, DeliveryFault(INTERNAL_ERROR, text))

        self._service.when_durable(log, done)

    def _failed(self, text: str) -> str:
        self._health.failed(text)
        return text

    def _warn(self, label: str, first: int, rewritten: list[tuple[int, tuple[str, ...]]]) -> None:
        """Say which events azure-eventhub could not have decoded as they were sent."""
        number, types = rewritten[0]
        more = f" (and {len(rewritten) - 1} more of this send)" if len(rewritten) > 1 else ""
        _LOGGER.warning(
            "%s, sequence number %d%s: azure-eventhub cannot decode %s; kept as text or a list",
            label, first + number, more, ", ".join(types),
        )  # fmt: skip
