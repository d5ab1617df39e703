"""The nodes links attach to: the request nodes, hubs to send to, partitions to receive from."""

from __future__ import annotations

from event_hubs_emulator.amqp.errors import NOT_ALLOWED, LinkFault
from event_hubs_emulator.amqp.performatives import ROLE_RECEIVER

from .address import Address, parse_address
from .consumer import ConsumerLink
from .interfaces import LinkSession
from .link import Link
from .link_request import LinkRequest
from .producer import ProducerLink
from .requests import RequestLink, ResponseLink


def attach_link(session: LinkSession, request: LinkRequest) -> Link:
    """Make the link. Raises LinkFault if there is no such node, or it cannot be used this way."""
    address = parse_address(request.address)
    if address.node is not None:
        return ResponseLink(session, request) if request.role == ROLE_RECEIVER else RequestLink(session, request)
    if request.role == ROLE_RECEIVER:
        _require(address.group is not None, address, "received from by hub/ConsumerGroups/group/Partitions/n only")
        return ConsumerLink(session, request, address)
    _require(address.group is None, address, "not a place to send to")
    return ProducerLink(session, request, address)


def _require(holds: bool, address: Address, what: str) -> None:
    if not holds:
        raise LinkFault(NOT_ALLOWED, f"The entity '{address.hub}' is {what}.")
