"""Read an attach and make the link it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.errors import INVALID_FIELD, NOT_ALLOWED, LinkFault, SessionFault
from event_hubs_emulator.position import selector_of

from .address import Address, address_of, parse_address

if TYPE_CHECKING:
    from .link import Link
    from .session import Session

_EPOCH = "com.microsoft:epoch"
_RUNTIME_METRIC = "com.microsoft:enable-receiver-runtime-metric"


class Attach:
    """The fields of an attach that matter here, checked. Raises SessionFault for one that names no link."""

    def __init__(self, performative: amqp.Performative) -> None:
        fields = performative.fields
        name, handle, role = fields[0], fields[1], fields[2]
        if not isinstance(name, str) or not isinstance(handle, int) or not isinstance(role, bool):
            raise SessionFault(INVALID_FIELD, "attach needs a name, a handle and a role")
        self.name: str = name
        self.handle: int = handle
        self.role: bool = role
        self.send_settle_mode = _mode(fields[3], 2)
        self.receive_settle_mode = _mode(fields[4], 0)
        self.source = fields[5]
        self.raw_source = performative.raw(5)
        self.raw_target = performative.raw(6)
        self.source_address = address_of(fields[5])
        self.target_address = address_of(fields[6])
        self.initial_delivery_count = fields[9] if isinstance(fields[9], int) else 0
        self.desired_capabilities = fields[12] if isinstance(fields[12], list) else [fields[12]]
        self.properties: dict[Any, Any] = fields[13] if isinstance(fields[13], dict) else {}

    @property
    def address(self) -> str:
        """The address at our end of the link."""
        return self.source_address if self.role == amqp.ROLE_RECEIVER else self.target_address

    @property
    def node(self) -> str | None:
        """`$cbs` or `$management` if the link goes there."""
        try:
            return parse_address(self.address).node
        except LinkFault:
            return None

    @property
    def selector(self) -> str | None:
        return selector_of(self.source)

    @property
    def owner_level(self) -> int | None:
        """The epoch in the link's properties. Raises LinkFault if it is no number."""
        value = self.properties.get(_EPOCH)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise LinkFault(INVALID_FIELD, f"{_EPOCH} is not a number")
        return value

    @property
    def wants_runtime_metrics(self) -> bool:
        return _RUNTIME_METRIC in self.desired_capabilities


def _mode(value: Any, default: int) -> int:
    return value if isinstance(value, int) and 0 <= value <= 2 else default


def attach_link(session: Session, attach: Attach) -> Link:
    """Make the link. Raises LinkFault if there is no such node, or it cannot be used this way."""
    # Imported late: the links need the names above.
    from .consumer import ConsumerLink
    from .producer import ProducerLink
    from .requests import RequestLink, ResponseLink

    address = parse_address(attach.address)
    if address.node is not None:
        return ResponseLink(session, attach) if attach.role == amqp.ROLE_RECEIVER else RequestLink(session, attach)
    if attach.role == amqp.ROLE_RECEIVER:
        _require(address.group is not None, address, "received from by hub/ConsumerGroups/group/Partitions/n only")
        return ConsumerLink(session, attach, address)
    _require(address.group is None, address, "not a place to send to")
    return ProducerLink(session, attach, address)


def _require(holds: bool, address: Address, what: str) -> None:
    if not holds:
        raise LinkFault(NOT_ALLOWED, f"The entity '{address.hub}' is {what}.")
