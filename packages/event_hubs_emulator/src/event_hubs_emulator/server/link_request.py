"""What an attach asks for."""

from __future__ import annotations

from typing import Any

from event_hubs_emulator.amqp.errors import INVALID_FIELD, LinkFault, SessionFault
from event_hubs_emulator.amqp.incoming import Attach, raw_field
from event_hubs_emulator.amqp.performatives import ROLE_RECEIVER
from event_hubs_emulator.position import selector_of

from .address import address_of, parse_address

_EPOCH = "com.microsoft:epoch"
_RUNTIME_METRIC = "com.microsoft:enable-receiver-runtime-metric"
_IDEMPOTENT_PRODUCER = "com.microsoft:idempotent-producer"


class LinkRequest:
    """The fields of an attach that matter here, checked. Raises SessionFault for one that names no link."""

    def __init__(self, attach: Attach, body: bytes) -> None:
        name, handle, role = attach.name, attach.handle, attach.role
        if not isinstance(name, str) or not isinstance(handle, int) or not isinstance(role, bool):
            raise SessionFault(INVALID_FIELD, "attach needs a name, a handle and a role")
        self.name: str = name
        self.handle: int = handle
        self.role: bool = role
        self.send_settle_mode = _mode(attach.send_settle_mode, 2)
        self.receive_settle_mode = _mode(attach.receive_settle_mode, 0)
        self.raw_source = raw_field(body, "source")
        self.raw_target = raw_field(body, "target")
        self.source_address = address_of(attach.source)
        self.target_address = address_of(attach.target)
        count, capabilities, properties = attach.initial_delivery_count, attach.desired_capabilities, attach.properties
        self.initial_delivery_count = count if isinstance(count, int) else 0
        self._source = attach.source
        self._desired_capabilities = capabilities if isinstance(capabilities, list) else [capabilities]
        self._properties: dict[Any, Any] = properties if isinstance(properties, dict) else {}

    @property
    def address(self) -> str:
        """The address at our end of the link."""
        return self.source_address if self.role == ROLE_RECEIVER else self.target_address

    @property
    def node(self) -> str | None:
        """`$cbs` or `$management` if the link goes there."""
        try:
            return parse_address(self.address).node
        except LinkFault:
            return None

    @property
    def selector(self) -> str | None:
        return selector_of(self._source)

    @property
    def owner_level(self) -> int | None:
        """The epoch in the link's properties. Raises LinkFault if it is no number."""
        value = self._properties.get(_EPOCH)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise LinkFault(INVALID_FIELD, f"{_EPOCH} is not a number")
        return value

    @property
    def wants_runtime_metrics(self) -> bool:
        return _RUNTIME_METRIC in self._desired_capabilities

    @property
    def wants_idempotent_publishing(self) -> bool:
        return _IDEMPOTENT_PRODUCER in self._desired_capabilities


def _mode(value: object, default: int) -> int:
    return value if isinstance(value, int) and 0 <= value <= 2 else default
