"""The request nodes: `$cbs`, which takes every token, and `$management`, which describes hubs and partitions."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from event_hubs_emulator.amqp.encoding import boolean, int32, long, map_of, string, string_array, timestamp
from event_hubs_emulator.amqp.errors import NOT_FOUND, NOT_IMPLEMENTED
from event_hubs_emulator.hubs import Hub
from event_hubs_emulator.request import Request, parse_request, response

from .address import CBS, hub_of_audience
from .interfaces import LinkSession
from .link import ReceivingLink, SendingLink
from .link_request import LinkRequest
from .service import Service

_LOGGER = logging.getLogger(__name__)
# 0001-01-01: how Azure says that a partition never had an event.
_NEVER_MS = -62_135_596_800_000
_MAX_QUEUED = 1000


class RequestLink(ReceivingLink):
    """Takes requests and answers on the session's response link of the same node."""

    def on_delivery(self, delivery_id: int, settled: bool, payload: bytes, message_format: int) -> None:
        """Answer one request; raises DecodeError for bytes that are none."""
        request = parse_request(payload)
        self.accept(delivery_id, settled)
        link = self.session.response_link(self.node or "", request.reply_to)
        if isinstance(link, ResponseLink):
            link.reply(answer(self.session.connection.service, self.node or "", request))
        else:
            _LOGGER.debug("a request to %s has no link to answer on", self.node)


class ResponseLink(SendingLink):
    """Sends the answers of a request node."""

    def __init__(self, session: LinkSession, request: LinkRequest) -> None:
        super().__init__(session, request)
        self._queue: deque[bytes] = deque(maxlen=_MAX_QUEUED)

    def reply(self, payload: bytes) -> None:
        self._queue.append(payload)
        self.wake()

    def wake(self) -> None:
        self.session.connection.send(b"".join(self.rest()))
        while self._queue and self.credit > 0 and self.session.remote_window > 0 and not self.detached:
            self.session.connection.send(b"".join(self.frames(self._queue.popleft())))
        if not self._queue:
            self.drained()


def answer(service: Service, node: str, request: Request) -> bytes:
    """The response to a request."""
    properties = request.properties
    operation = str(properties.get("operation"))
    if node == CBS:
        if operation != "put-token":
            return response(request, 501, f"$cbs knows put-token, not {operation!r:.60}", None, NOT_IMPLEMENTED)
        hub_name = hub_of_audience(str(properties.get("name")))
        if hub_name is not None and service.hubs.find(hub_name) is None:
            # Without a condition: azure-eventhub would look no further, and not show the description.
            return response(request, 404, service.no_such_hub(hub_name), None)
        return response(request, 202, "Accepted", None)
    if operation != "READ":
        return response(request, 501, f"$management knows READ, not {operation!r:.60}", None, NOT_IMPLEMENTED)
    kind, name = str(properties.get("type")), str(properties.get("name"))
    hub = service.hubs.find(name)
    if hub is None:
        return response(request, 404, service.no_such_hub(name), None, NOT_FOUND)
    if kind == "com.microsoft:eventhub":
        return response(request, 200, "OK", _describe_hub(hub))
    if kind == "com.microsoft:partition":
        partition = str(properties.get("partition"))
        body = _describe_partition(hub, partition)
        if body is None:
            text = f"The messaging entity '{hub.name}' has no partition '{partition[:60]}'."
            return response(request, 404, text, None, NOT_FOUND)
        return response(request, 200, "OK", body)
    return response(request, 501, f"$management describes hubs and partitions, not {kind!r:.60}", None, NOT_IMPLEMENTED)


def _pairs(values: dict[str, bytes]) -> bytes:
    return map_of([(string(name), value) for name, value in values.items()])


def _describe_hub(hub: Hub) -> Any:
    ids = [str(number) for number in range(len(hub.partitions))]
    return _pairs(
        {
            "name": string(hub.name),
            "type": string("com.microsoft:eventhub"),
            "created_at": timestamp(hub.created_ms),
            "partition_count": int32(len(ids)),
            "partition_ids": string_array(ids),
        }
    )


def _describe_partition(hub: Hub, partition: str) -> Any:
    log = hub.partition(partition) if partition else None
    if log is None:
        return None
    state = log.state()
    never = state.last_sequence_number < 0
    return _pairs(
        {
            "name": string(hub.name),
            "type": string("com.microsoft:partition"),
            "partition": string(partition),
            "begin_sequence_number": long(state.begin_sequence_number),
            "last_enqueued_sequence_number": long(state.last_sequence_number),
            "last_enqueued_offset": string(str(state.last_offset)),
            "last_enqueued_time_utc": timestamp(_NEVER_MS if never else state.last_enqueued_ms),
            "is_partition_empty": boolean(state.is_empty),
        }
    )
