"""One session: its windows, its links, and the frames that concern them."""

from __future__ import annotations

from event_hubs_emulator.amqp import outgoing
from event_hubs_emulator.amqp.encoding import NULL
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
from event_hubs_emulator.amqp.incoming import (
    Attach,
    Begin,
    Detach,
    Disposition,
    Flow,
    Performative,
    Transfer,
    name_of,
)
from event_hubs_emulator.amqp.performatives import ACCEPTED_STATE, ROLE_RECEIVER, ROLE_SENDER

from .interfaces import LinkConnection
from .link import Link, ReceivingLink, SendingLink
from .link_request import LinkRequest
from .nodes import attach_link

_WRAP = 0xFFFFFFFF
# Memory is bounded by link credit and by the socket, so the session's window need not be.
_INCOMING_WINDOW = 0x7FFFFFFF


class Session:
    """A session that a peer began on `channel`; ours has the same channel number."""

    def __init__(self, connection: LinkConnection, channel: int, begin: Begin) -> None:
        self.connection = connection
        self.channel = channel
        self.next_delivery_id = 0
        self.next_outgoing_id = 0
        self.remote_window = _number(begin.incoming_window, "incoming-window")
        self.ended = False
        self._next_incoming_id = _number(begin.next_outgoing_id, "next-outgoing-id")
        self._links: dict[int, Link] = {}
        self.send(outgoing.begin(channel, channel, _INCOMING_WINDOW, connection.limits.handle_max))

    def send(self, frame: bytes) -> None:
        self.connection.send(frame)

    def handle(self, performative: Performative, body: bytes, end: int) -> None:
        """Process one frame of this session, whose performative ends at `end` in its `body`.

        Raises ConnectionFault or DecodeError.
        """
        if self.ended:
            return
        try:
            self._dispatch(performative, body, end)
        except SessionFault as fault:
            self.end(fault)

    def _dispatch(self, performative: Performative, body: bytes, end: int) -> None:
        if isinstance(performative, Transfer):
            self._next_incoming_id = (self._next_incoming_id + 1) & _WRAP
            self._receiver(performative.handle).on_transfer(performative, body[end:])
        elif isinstance(performative, Flow):
            self._on_flow(performative)
        elif isinstance(performative, Disposition):
            self._on_disposition(performative)
        elif isinstance(performative, Attach):
            self._on_attach(LinkRequest(performative, body))
        elif isinstance(performative, Detach):
            self._on_detach(performative)
        else:
            raise DecodeError(f"{name_of(performative)} does not belong into a session")

    def _link(self, handle: object) -> Link:
        link = self._links.get(handle) if isinstance(handle, int) else None
        if link is None:
            raise SessionFault(UNATTACHED_HANDLE, f"no link is attached with handle {handle!r:.20}")
        return link

    def _receiver(self, handle: object) -> ReceivingLink:
        link = self._link(handle)
        if not isinstance(link, ReceivingLink):
            raise SessionFault(UNATTACHED_HANDLE, f"the link with handle {handle} does not receive")
        return link

    def _on_attach(self, request: LinkRequest) -> None:
        if request.handle > self.connection.limits.handle_max:
            raise ConnectionFault(FRAMING_ERROR, f"handle {request.handle} is beyond handle-max")
        existing = self._links.get(request.handle)
        if existing is not None and not existing.detached:
            raise SessionFault(HANDLE_IN_USE, f"handle {request.handle} is in use")
        try:
            link = attach_link(self, request)
        except LinkFault as fault:
            self._refuse(request, fault)
            return
        self._links[request.handle] = link
        self._answer(request, link)
        link.attached()

    def _answer(self, request: LinkRequest, link: Link, *, refused: bool = False) -> None:
        we_send = request.role == ROLE_RECEIVER
        # A null target is how a sender is told that detach follows, so that it sends nothing before it reads why. A
        # receiver gets its source even so: azure-eventhub's asyncio consumer swallows an error that comes before it was
        # attached.
        attach = outgoing.attach(
            self.channel,
            name=request.name,
            handle=request.handle,
            role=not request.role,
            send_settle_mode=link.send_settle_mode,
            receive_settle_mode=request.receive_settle_mode,
            source=request.raw_source,
            target=NULL if refused and not we_send else request.raw_target,
            initial_delivery_count=0 if we_send else None,
            max_message_size=self.connection.limits.max_message_size,
        )
        self.send(attach)

    def _refuse(self, request: LinkRequest, fault: LinkFault) -> None:
        self.connection.log_fault(f"link to {request.address!r:.120}", fault)
        # Takes, and drops, what the peer sends until it has read that there is no link.
        link = (SendingLink if request.role == ROLE_RECEIVER else ReceivingLink)(self, request)
        link.detached = True
        self._links[request.handle] = link
        self._answer(request, link, refused=True)
        self.send(outgoing.detach(self.channel, request.handle, closed=True, fault=fault))

    def _on_detach(self, detach: Detach) -> None:
        link = self._links.pop(detach.handle, None) if isinstance(detach.handle, int) else None
        # Detached before: this is the peer's answer.
        if link is not None and not link.detached:
            link.close()
            self.send(outgoing.detach(self.channel, link.handle, closed=bool(detach.closed)))

    def wake(self) -> None:
        """Let every sending link look again whether it may send."""
        for link in list(self._links.values()):
            if isinstance(link, SendingLink) and not link.detached:
                link.wake()

    def _on_flow(self, flow: Flow) -> None:
        next_incoming = flow.next_incoming_id if isinstance(flow.next_incoming_id, int) else 0
        window = _number(flow.incoming_window, "incoming-window")
        in_flight = (self.next_outgoing_id - next_incoming) & _WRAP
        self.remote_window = max(window - in_flight, 0)
        if flow.handle is not None:
            link = self._link(flow.handle)
            if not link.detached:
                link.on_flow(flow)
            return
        if flow.echo:
            ids = self._next_incoming_id, self.next_outgoing_id
            self.send(outgoing.session_flow(self.channel, *ids, _INCOMING_WINDOW))
        # The window may have been what all the senders were waiting for.
        self.wake()

    def send_flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None:
        """Tell the peer the state of the session and of one link."""
        flow = outgoing.link_flow(
            self.channel,
            self._next_incoming_id,
            self.next_outgoing_id,
            _INCOMING_WINDOW,
            handle=handle,
            delivery_count=delivery_count,
            credit=credit,
            drain=drain,
        )
        self.send(flow)

    def _on_disposition(self, disposition: Disposition) -> None:
        first = _number(disposition.first, "first")
        last = first if disposition.last is None else _number(disposition.last, "last")
        # A log does not change by what a consumer says of an event; a peer that waits for us to settle gets that.
        if disposition.role == ROLE_RECEIVER and not disposition.settled:
            self.send_disposition(ROLE_SENDER, first, last, ACCEPTED_STATE)

    def send_disposition(self, role: bool, first: int, last: int, state: bytes) -> None:
        """Settle deliveries with an outcome."""
        self.send(outgoing.disposition(self.channel, role, first, last, state))

    def end(self, fault: AmqpError | None) -> None:
        """End the session from this side: frames are dropped until the peer's end."""
        self.close()
        self.send(outgoing.end(self.channel, fault))
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


def _number(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConnectionFault(INVALID_FIELD, f"{name} is not a number")
    return value
