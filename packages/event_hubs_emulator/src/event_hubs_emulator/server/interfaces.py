"""What a link needs of its session and its connection: the links are below both, and import neither."""

from __future__ import annotations

import asyncio
from typing import Protocol

from event_hubs_emulator.amqp.errors import AmqpError

from .service import Limits, Service


class LinkConnection(Protocol):
    """The connection, as its links see it."""

    service: Service
    limits: Limits
    loop: asyncio.AbstractEventLoop
    paused: bool
    peer_max_frame_size: int

    def send(self, frames: bytes) -> None: ...

    def log_fault(self, what: str, fault: AmqpError) -> None: ...


class LinkSession(Protocol):
    """The session, as its links see it."""

    channel: int
    ended: bool
    remote_window: int
    next_delivery_id: int
    next_outgoing_id: int

    @property
    def connection(self) -> LinkConnection: ...

    def send(self, frame: bytes) -> None: ...

    def send_flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None: ...

    def send_disposition(self, role: bool, first: int, last: int, state: bytes) -> None: ...

    def response_link(self, node: str, reply_to: str | None) -> object: ...
