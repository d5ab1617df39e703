"""One session: its windows, its links, and the frames that concern them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.encoding import FALSE, NULL, TRUE, boolean, string, ubyte, uint, ulong, ushort
from event_hubs_emulator.amqp.errors import (
    FRAMING_ERROR,
    HANDLE_IN_USE,
    INVALID_FIELD,
    UNATTACHED_HANDLE,
    AmqpError,
    ConnectionFault,
    DecodeError,
    LinkFault,
    SessionFault,
)

from .attach import Attach
from .link import Link, ReceivingLink, SendingLink

if TYPE_CHECKING:
    from .connection import Connection

_WRAP = 0xFFFFFFFF
# Memory is bounded by link credit and by the socket, so the session's window need not be.
_INCOMING_WINDOW = 0x7FFFFFFF


class Session:
    """A session that a peer began on `channel`; ours has the same channel number."""

    def __init__(self, connection: Connection, channel: int, begin: amqp.Performative) -> None:
        self.connection = connection
        self.channel = channel
        self.next_delivery_id = 0
        self.next_outgoing_id = 0
        self.remote_window = _number(begin.fields[2], "incoming-window")
        self.ended = False
        self._next_incoming_id = _number(begin.fields[1], "next-outgoing-id")
        self._links: dict[int, Link] = {}
        fields = [ushort(channel), uint(0), uint(_INCOMING_WINDOW), uint(_INCOMING_WINDOW)]
        fields += [uint(connection.limits.handle_max), NULL, NULL, NULL]
        self.send(amqp.BEGIN, fields)

    def send(self, code: int, fields: list[bytes]) -> None:
        self.connection.send(amqp.performative(self.channel, code, fields))

    def handle(self, performative: amqp.Performative, payload: bytes) -> None:
        """Process one frame of this session. Raises ConnectionFault or DecodeError."""
        if self.ended:
            return
        try:
            self._dispatch(performative, payload)
        except SessionFault as fault:
            self.end(fault)

    def _dispatch(self, performative: amqp.Performative, payload: bytes) -> None:
        code, fields = performative.code, performative.fields
        if code == amqp.TRANSFER:
            self._next_incoming_id = (self._next_incoming_id + 1) & _WRAP
            self._receiver(fields[0]).on_transfer(fields, payload)
        elif code == amqp.FLOW:
            self._on_flow(fields)
        elif code == amqp.DISPOSITION:
            self._on_disposition(fields)
        elif code == amqp.ATTACH:
            self._on_attach(performative)
        elif code == amqp.DETACH:
            self._on_detach(fields)
        else:
            raise DecodeError(f"{performative.name} does not belong into a session")

    def _link(self, handle: Any) -> Link:
        link = self._links.get(handle) if isinstance(handle, int) else None
        if link is None:
            raise SessionFault(UNATTACHED_HANDLE, f"no link is attached with handle {handle!r:.20}")
        return link

    def _receiver(self, handle: Any) -> ReceivingLink:
        link = self._link(handle)
        if not isinstance(link, ReceivingLink):
            raise SessionFault(UNATTACHED_HANDLE, f"the link with handle {handle} does not receive")
        return link

    def _on_attach(self, performative: amqp.Performative) -> None:
        attach = Attach(performative)
        if attach.handle > self.connection.limits.handle_max:
            raise ConnectionFault(FRAMING_ERROR, f"handle {attach.handle} is beyond handle-max")
        existing = self._links.get(attach.handle)
        if existing is not None and not existing.detached:
            raise SessionFault(HANDLE_IN_USE, f"handle {attach.handle} is in use")
        try:
            link = self.connection.service.attach_link(self, attach)
        except LinkFault as fault:
            self._refuse(attach, fault)
            return
        self._links[attach.handle] = link
        self._answer(attach, link)
        link.attached()

    def _answer(self, attach: Attach, link: Link, *, refused: bool = False) -> None:
        we_send = attach.role == amqp.ROLE_RECEIVER
        fields = [string(attach.name), uint(attach.handle), boolean(not attach.role)]
        fields += [ubyte(link.send_settle_mode), ubyte(attach.receive_settle_mode), attach.raw_source]
        # A null target is how a sender is told that detach follows, so that it sends nothing before it reads why. A
        # receiver gets its source even so: azure-eventhub's asyncio consumer swallows an error that comes before it was
        # attached.
        fields += [NULL if refused and not we_send else attach.raw_target, NULL, FALSE, uint(0) if we_send else NULL]
        self.send(amqp.ATTACH, [*fields, ulong(self.connection.limits.max_message_size), NULL, NULL, NULL])

    def _refuse(self, attach: Attach, fault: LinkFault) -> None:
        self.connection.log_fault(f"link to {attach.address!r:.120}", fault)
        # Takes, and drops, what the peer sends until it has read that there is no link.
        link = (SendingLink if attach.role == amqp.ROLE_RECEIVER else ReceivingLink)(self, attach)
        link.detached = True
        self._links[attach.handle] = link
        self._answer(attach, link, refused=True)
        self.send(amqp.DETACH, [uint(attach.handle), TRUE, amqp.error(fault)])

    def _on_detach(self, fields: list[Any]) -> None:
        link = self._links.pop(fields[0], None) if isinstance(fields[0], int) else None
        # Detached before: this is the peer's answer.
        if link is not None and not link.detached:
            link.close()
            self.send(amqp.DETACH, [uint(fields[0]), boolean(bool(fields[1])), NULL])

    def wake(self) -> None:
        """Let every sending link look again whether it may send."""
        for link in list(self._links.values()):
            if isinstance(link, SendingLink) and not link.detached:
                link.wake()

    def _on_flow(self, fields: list[Any]) -> None:
        next_incoming = fields[0] if isinstance(fields[0], int) else 0
        window = _number(fields[1], "incoming-window")
        in_flight = (self.next_outgoing_id - next_incoming) & _WRAP
        self.remote_window = max(window - in_flight, 0)
        if fields[4] is not None:
            link = self._link(fields[4])
            if not link.detached:
                link.on_flow(fields)
            return
        if fields[9]:
            self.send_flow(None)
        # The window may have been what all the senders were waiting for.
        self.wake()

    def send_flow(self, link: Link | None, drain: bool = False) -> None:
        """Tell the peer the state of the session and, unless None, of one link."""
        fields = [
            uint(self._next_incoming_id),
            uint(_INCOMING_WINDOW),
            uint(self.next_outgoing_id),
            uint(_INCOMING_WINDOW),
        ]
        if link is None:
            fields += [NULL] * 5
        else:
            fields += [uint(link.handle), uint(link.delivery_count), uint(link.credit), uint(0), boolean(drain)]
        self.send(amqp.FLOW, [*fields, FALSE, NULL])

    def _on_disposition(self, fields: list[Any]) -> None:
        role, first, last, settled = fields[0], _number(fields[1], "first"), fields[2], fields[3]
        last = first if last is None else _number(last, "last")
        # A log does not change by what a consumer says of an event; a peer that waits for us to settle gets that.
        if role == amqp.ROLE_RECEIVER and not settled:
            self.send_disposition(amqp.ROLE_SENDER, first, last, amqp.ACCEPTED_STATE)

    def send_disposition(self, role: bool, first: int, last: int, state: bytes) -> None:
        """Settle deliveries with an outcome."""
        self.send(amqp.DISPOSITION, [boolean(role), uint(first), uint(last), TRUE, state, NULL])

    def end(self, fault: AmqpError | None) -> None:
        """End the session from this side: frames are dropped until the peer's end."""
        self.close()
        self.send(amqp.END, [amqp.error(fault) if fault else NULL])
        if fault:
            self.connection.log_fault(f"session {self.channel}", fault)

    def close(self) -> None:
        """Let go of all links."""
        self.ended = True
        for link in list(self._links.values()):
            link.close()
        self._links.clear()

    def response_link(self, node: str, reply_to: str | None) -> SendingLink | None:
        """The link by which a request node answers: the one with the target `reply_to`, or the last one attached."""
        found = None
        for link in self._links.values():
            if isinstance(link, SendingLink) and link.node == node and not link.detached:
                found = link
                if link.target == reply_to:
                    break
        return found


def _number(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConnectionFault(INVALID_FIELD, f"{name} is not a number")
    return value
