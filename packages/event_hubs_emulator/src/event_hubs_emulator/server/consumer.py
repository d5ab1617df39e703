"""The link of a consumer: copy records from the log into transfer frames while credit lasts."""

from __future__ import annotations

import logging
from zlib import crc32

from event_hubs_emulator.log import record
from event_hubs_emulator.position import starting_address
from event_hubs_emulator.runtime_metrics import Metrics, runtime_metrics, with_metrics

from .address import Address
from .interfaces import LinkSession
from .link import SendingLink
from .link_request import LinkRequest

_LOGGER = logging.getLogger(__name__)
# One read and one write to the socket: big enough to amortise both, small enough to share the loop and stay in cache.
_CHUNK = 256 * 1024
_TRY_AGAIN_SECONDS = 1.0


class ConsumerLink(SendingLink):
    """Reads one partition from a position on. Holds no events: only where it stands."""

    def __init__(self, session: LinkSession, request: LinkRequest, address: Address) -> None:
        super().__init__(session, request)
        connection = session.connection
        self.owner_level = request.owner_level
        self._connection = connection
        self._metrics = request.wants_runtime_metrics
        self._log = connection.service.partition(address)
        self._group = address.group or ""
        self._address = starting_address(self._log, request.selector)
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
        if not self._scheduled and (self.credit or self._drain or self._rest):
            self._scheduled = True
            self._connection.loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._scheduled = False
        if self.detached or self.session.ended or self._connection.paused:
            return
        try:
            more = (self.credit or self._rest) and self.session.remote_window > 0 and self._send_chunk()
        except OSError as error:
            # No descriptor left, or a disk that fails: it may pass, and the consumer has lost nothing meanwhile.
            _LOGGER.error("%s cannot be read, it is tried again: %s", self._log.label, error)
            self._scheduled = True
            self._connection.loop.call_later(_TRY_AGAIN_SECONDS, self._pump)
            return
        if more:
            self.wake()
        elif self._address >= self._log.end:
            self.drained()

    def _send_chunk(self) -> bool:
        """Send what one read gives; return whether there may be more to send now."""
        address, chunk = self._log.read(self._address, _CHUNK)
        parts = self.rest()
        metrics = runtime_metrics(self._log.state()) if self._metrics else []
        if metrics or self.unsettled:
            position, whole = self._take_slowly(chunk, metrics, parts)
        else:
            position, whole = self._take(chunk, parts)
        self._connection.send(b"".join(parts))
        self._address = address + position if whole else self._log.after_damage(address + position)
        return self._address < self._log.end

    def _take_slowly(self, chunk: bytes, metrics: Metrics, parts: list[bytes | memoryview]) -> tuple[int, bool]:
        """Append the frames of the records in `chunk` to `parts`; return how far, and whether no record was damaged."""
        session, position = self.session, 0
        while self.credit > 0 and session.remote_window > 0 and position < len(chunk):
            found = record.parse(chunk, position)
            if found is None:
                # A read gives at least one whole record.
                return position, position > 0
            if not record.is_intact(chunk, position, found):
                return position, False
            payload = chunk[found.start : found.end]
            parts += self.frames(with_metrics(payload, found.header_length, metrics) if metrics else payload)
            position = found.end
        return position, True

    def _take(self, chunk: bytes, parts: list[bytes | memoryview]) -> tuple[int, bool]:
        """As `_take_slowly`, for consumers that ask for nothing special: every event of the hub passes here."""
        session = self.session
        view, size, position = memoryview(chunk), len(chunk), 0
        parse, header_size, pack_head = record.HEADER.unpack_from, record.HEADER_SIZE, self._pack_head
        lead, tail, overhead, channel = self._lead, self._tail(0, False), self._overhead, session.channel
        room = self._connection.peer_max_frame_size - overhead
        first_id = delivery_id = session.next_delivery_id
        last_id = first_id + min(self.credit, session.remote_window)
        whole = fits = True
        while delivery_id < last_id:
            start = position + header_size
            if start > size:
                whole = position > 0 or not size
                break
            crc, length, _, _, _, _ = parse(chunk, position)
            end = start + length
            if end > size:
                whole = position > 0
                break
            whole, fits = crc32(view[position + 4 : end]) == crc, length <= room
            if not (whole and fits):
                break
            parts += (
                pack_head(overhead + length, 0x0200, channel, lead, delivery_id & 0xFFFFFFFF, tail),
                view[start:end],
            )
            position = end
            delivery_id += 1
        self.count_deliveries(delivery_id - first_id)
        if whole and not fits and delivery_id < last_id:
            parts += self.frames(view[start:end])
            position = end
        return position, whole
