"""What links have in common: credit and assembling deliveries as the receiver, credit and framing as the sender."""

from __future__ import annotations

import struct
from collections.abc import Callable

from event_hubs_emulator.amqp import outgoing
from event_hubs_emulator.amqp.encoding import uint
from event_hubs_emulator.amqp.errors import (
    INVALID_FIELD,
    MESSAGE_SIZE_EXCEEDED,
    TRANSFER_LIMIT_EXCEEDED,
    AmqpError,
    DecodeError,
    DeliveryFault,
    LinkFault,
)
from event_hubs_emulator.amqp.incoming import Flow, Transfer
from event_hubs_emulator.amqp.performatives import ACCEPTED_STATE, ROLE_RECEIVER, rejected

from .interfaces import LinkSession
from .link_request import LinkRequest

_WRAP = 0xFFFFFFFF
SETTLED, MIXED = 1, 2


class Link:
    """A link endpoint of ours. `credit` and `delivery_count` are the link's flow state."""

    def __init__(self, session: LinkSession, request: LinkRequest) -> None:
        self.session = session
        self.name = request.name
        self.handle = request.handle
        self.node = request.node
        self.target = request.target_address
        self.send_settle_mode = request.send_settle_mode
        self.credit = 0
        self.delivery_count = request.initial_delivery_count
        self.detached = False

    def attached(self) -> None:
        """The answer to attach is on its way: frames of this link may follow."""

    def on_flow(self, flow: Flow) -> None:
        """The peer tells its flow state. Never called for a detached link."""

    def detach(self, fault: AmqpError | None) -> None:
        """Detach from this side, with an error if there is one."""
        if self.detached:
            return
        self.close()
        self.session.send(outgoing.detach(self.session.channel, self.handle, closed=True, fault=fault))
        if fault:
            self.session.connection.log_fault(f"link {self.name[:80]}", fault)

    def close(self) -> None:
        """Let go of what the link holds; nothing is sent."""
        self.detached = True

    def send_flow(self, *, drain: bool = False) -> None:
        """Tell the peer the state of the link."""
        self.session.send_flow(self.handle, self.delivery_count, self.credit, drain=drain)


class ReceivingLink(Link):
    """A link by which the peer sends to us. Subclasses take whole deliveries in `on_delivery`."""

    def __init__(self, session: LinkSession, request: LinkRequest) -> None:
        super().__init__(session, request)
        self._size_limit = session.connection.limits.max_message_size
        self._full_credit = session.connection.limits.producer_credit
        self._delivery_id: int | None = None
        self._message_format = 0
        self._settled = False
        self._parts: list[bytes] = []
        self._size = 0

    def attached(self) -> None:
        self.credit = self._full_credit
        self.send_flow()

    def on_flow(self, flow: Flow) -> None:
        if flow.echo:
            self.send_flow()

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """Take one transfer frame: the whole delivery or a piece of it."""
        if self.detached:
            return
        try:
            self._on_transfer(transfer, payload)
        except LinkFault as fault:
            self.detach(fault)

    def _on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        if self._delivery_id is None:
            self._begin(transfer)
        self._settled = self._settled or bool(transfer.settled)
        if transfer.aborted:
            self._reset()
            self._replenish()
            return
        size = self._size = self._size + len(payload)
        # What is over the limit is counted and dropped, not kept, and refused once it is complete.
        if size > self._size_limit:
            self._parts.clear()
        elif payload:
            self._parts.append(payload)
        if transfer.more:
            return
        self._complete()

    def _begin(self, transfer: Transfer) -> None:
        if not isinstance(transfer.delivery_id, int):
            raise LinkFault(INVALID_FIELD, "the first transfer of a delivery has no delivery-id")
        if self.credit <= 0:
            raise LinkFault(TRANSFER_LIMIT_EXCEEDED, "a transfer without credit")
        self.credit -= 1
        self.delivery_count = (self.delivery_count + 1) & _WRAP
        self._delivery_id = transfer.delivery_id
        self._message_format = transfer.message_format if isinstance(transfer.message_format, int) else 0

    def _complete(self) -> None:
        delivery_id, settled, size = self._delivery_id or 0, self._settled, self._size
        payload = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._reset()
        try:
            if size > self._size_limit:
                raise DeliveryFault(
                    MESSAGE_SIZE_EXCEEDED,
                    f"The received message (delivery-id:{delivery_id}, size:{size} bytes) exceeds the limit "
                    f"({self._size_limit} bytes) currently allowed on the link.",
                )
            self.on_delivery(delivery_id, settled, payload, self._message_format)
        except (DeliveryFault, DecodeError) as fault:
            self.refuse(delivery_id, settled, fault)

    def _reset(self) -> None:
        self._delivery_id = None
        self._settled = False
        self._parts = []
        self._size = 0

    def on_delivery(self, delivery_id: int, settled: bool, payload: bytes, message_format: int) -> None:
        """Take a delivery and, sooner or later, `accept` or `refuse` it; what a subclass is for."""

    def accept(self, delivery_id: int, settled: bool) -> None:
        """The delivery is done: tell the sender, unless it settled it itself."""
        if not settled and not self.session.ended:
            self.session.send_disposition(ROLE_RECEIVER, delivery_id, delivery_id, ACCEPTED_STATE)
        self._replenish()

    def refuse(self, delivery_id: int, settled: bool, fault: AmqpError) -> None:
        """The delivery is not taken: the sender gets the rejected outcome; if it settled it itself, the link ends."""
        self.session.connection.log_fault(f"delivery on {self.name[:80]}", fault)
        if settled:
            self.detach(fault)
        elif not self.session.ended:
            self.session.send_disposition(ROLE_RECEIVER, delivery_id, delivery_id, rejected(fault))
        self._replenish()

    def _replenish(self) -> None:
        if self.credit <= self._full_credit // 2 and not self.detached and not self.session.ended:
            self.credit = self._full_credit
            self.send_flow()


class SendingLink(Link):
    """A link by which we send to the peer, as far as its credit and the session's window allow."""

    def __init__(self, session: LinkSession, request: LinkRequest) -> None:
        super().__init__(session, request)
        self.delivery_count = 0
        self._drain = False
        self._rest: tuple[memoryview, int] | None = None
        # Deliveries of a log or an answer need no acknowledgement, so they go out settled, all with one tag: a tag may
        # be used again once its delivery is settled, and azure-eventhub keeps every tag it sees while the link lives,
        # which would grow without end. Only a receiver that settles second asks for more.
        self.unsettled = request.receive_settle_mode == 1 and request.send_settle_mode != SETTLED
        self.send_settle_mode = 0 if self.unsettled else SETTLED
        before_id = uint(self.handle) + b"\x70"
        size = len(before_id) + 4 + 6 + 8
        lead = b"\x00\x53\x14\xc0" + bytes((size + 1, 11)) + before_id
        template = struct.Struct(f">IHH{len(lead)}sI14s")
        self._pack_head: Callable[..., bytes] = template.pack
        self._lead = lead
        self._overhead = template.size

    def wake(self) -> None:
        """Credit, window, socket or data changed: there may be something to send; what a subclass is for."""

    def on_flow(self, flow: Flow) -> None:
        credit = flow.link_credit
        if isinstance(credit, int):
            received = flow.delivery_count if isinstance(flow.delivery_count, int) else 0
            in_flight = (self.delivery_count - received) & _WRAP
            self.credit = max(credit - in_flight, 0) if in_flight <= 0x7FFFFFFF else credit
        self._drain = bool(flow.drain)
        self.wake()
        if flow.echo:
            self.send_flow()

    def drained(self) -> None:
        """There is nothing to send now: if the peer wants its credit back, give it back."""
        if self._drain and self.credit:
            self.delivery_count = (self.delivery_count + self.credit) & _WRAP
            self.credit = 0
            self.send_flow(drain=True)

    def frames(self, payload: bytes | memoryview) -> list[bytes | memoryview]:
        """The transfer frames of one delivery, for which there must be credit and room in the session's window.

        If the window ends before the delivery does, `rest` has its other frames once there is room again.
        """
        session = self.session
        delivery_id = session.next_delivery_id
        self.count_deliveries(1)
        # `rest` counts the frames.
        session.next_outgoing_id = (session.next_outgoing_id - 1) & _WRAP
        session.remote_window += 1
        self._rest = (memoryview(bytes(payload)), delivery_id)
        return self.rest()

    def count_deliveries(self, count: int) -> None:
        """Account for deliveries of one frame each."""
        session = self.session
        session.next_delivery_id = (session.next_delivery_id + count) & _WRAP
        session.next_outgoing_id = (session.next_outgoing_id + count) & _WRAP
        session.remote_window -= count
        self.delivery_count = (self.delivery_count + count) & _WRAP
        self.credit -= count

    def rest(self) -> list[bytes | memoryview]:
        """The frames still owed of a delivery that was begun, as far as the session's window allows."""
        parts: list[bytes | memoryview] = []
        session = self.session
        room = session.connection.peer_max_frame_size - self._overhead
        while self._rest is not None and session.remote_window > 0:
            view, delivery_id = self._rest
            piece, others = view[:room], view[room:]
            self._rest = (others, delivery_id) if others else None
            session.next_outgoing_id = (session.next_outgoing_id + 1) & _WRAP
            session.remote_window -= 1
            size = self._overhead + len(piece)
            tail = self._tail(delivery_id, bool(others))
            parts += (self._pack_head(size, 0x0200, session.channel, self._lead, delivery_id, tail), piece)
        return parts

    def _tail(self, delivery_id: int, more: bool) -> bytes:
        """The fields of transfer from delivery-tag on."""
        tag = delivery_id.to_bytes(4, "big") if self.unsettled else b"\x00\x00\x00\x00"
        flags = bytes((0x43, 0x42 if self.unsettled else 0x41, 0x41 if more else 0x42))
        return b"\xa0\x04" + tag + flags + b"\x40\x40\x40\x40\x40"
