"""The link of a consumer: copy records from the log into transfer frames while credit lasts."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from event_hubs_emulator.amqp.encoding import described, long, map_of, string, symbol, timestamp
from event_hubs_emulator.log import record
from event_hubs_emulator.position import starting_address

from .link import SendingLink

if TYPE_CHECKING:
    from .address import Address
    from .attach import Attach
    from .session import Session

_LOGGER = logging.getLogger(__name__)
# One read and one write to the socket: big enough to amortise both, small enough to share the loop and stay in cache.
_CHUNK = 128 * 1024


class ConsumerLink(SendingLink):
    """Reads one partition from a position on. Holds no events: only where it stands."""

    def __init__(self, session: Session, attach: Attach, address: Address) -> None:
        super().__init__(session, attach)
        connection = session.connection
        self.owner_level = attach.owner_level
        self._connection = connection
        self._metrics = attach.wants_runtime_metrics
        self._log = connection.service.partition(address)
        self._group = address.group or ""
        self._address = starting_address(self._log, attach.selector)
        self._scheduled = False
        connection.service.receivers.add(self._log.label, self._group, self)
        self._log.subscribe(self, self.wake)

    def close(self) -> None:
        if not self.detached:
            super().close()
            self._log.unsubscribe(self)
            self._connection.service.receivers.remove(self._log.label, self._group, self)

    def wake(self) -> None:
        # Many appends of one turn of the loop end in one write.
        if not self._scheduled and (self.credit or self._drain):
            self._scheduled = True
            self._connection.loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._scheduled = False
        if self.detached or self.session.ended or self._connection.paused:
            return
        if self.credit and self.session.remote_window > 0 and self._send_chunk():
            self.wake()
        elif self._address >= self._log.end:
            self.drained()

    def _send_chunk(self) -> bool:
        """Send what one read gives; return whether there may be more to send now."""
        address, chunk = self._log.read(self._address, _CHUNK)
        if not chunk:
            self._address = address
            return False
        view = memoryview(chunk)
        metrics = self._runtime_metrics() if self._metrics else b""
        parts: list[bytes | memoryview] = []
        position = 0
        while self.credit > 0 and self.session.remote_window > 0:
            found = record.parse(chunk, position)
            if found is None:
                break
            if not record.is_intact(chunk, position, found):
                self._connection.send(b"".join(parts))
                self._address = self._log.after_damage(address + position)
                return True
            payload: bytes | memoryview = view[found.start : found.end]
            if metrics:
                payload = b"".join((payload[: found.header_length], metrics, payload[found.header_length :]))
            parts += self.frames(payload)
            position = found.end
        self._address = address + position
        self._connection.send(b"".join(parts))
        return self._address < self._log.end

    def _runtime_metrics(self) -> bytes:
        """Delivery annotations with the state of the partition, the same for all events of one write."""
        state = self._log.state()
        pairs = [
            (symbol("last_enqueued_sequence_number"), long(state.last_sequence_number)),
            (symbol("last_enqueued_offset"), string(str(state.last_offset))),
            (symbol("last_enqueued_time_utc"), timestamp(state.last_enqueued_ms)),
            (symbol("runtime_info_retrieval_time_utc"), timestamp(time.time_ns() // 1_000_000)),
        ]
        return described(0x71, map_of(pairs))
