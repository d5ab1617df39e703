"""Events as the pipeline takes them in: from the trigger, and read from the hub itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import azure.functions as func
from azure.eventhub import EventData
from azure.eventhub.amqp import AmqpMessageBodyType
from azure.functions.meta import Datum

from telemetry.context import BODY_TYPE, content_of, context_of
from telemetry.model import Delivery
from telemetry.times import from_datetime


def deliveries_from(events: Sequence[EventData], hub: str, partition: str) -> list[Delivery]:
    """Events that were read with the SDK, as ``deliveries_of`` would have them from the trigger."""
    if not events:
        return []
    metadata = {
        "PartitionContext": _json_datum({"PartitionId": partition}),
        "PropertiesArray": _json_datum([_plain(event.properties or {}) for event in events]),
        "SystemPropertiesArray": _json_datum([_system(event) for event in events]),
    }
    return deliveries_of(
        [
            func.EventHubEvent(
                body=_body(event),
                trigger_metadata=metadata,
                enqueued_time=event.enqueued_time,
                partition_key=_text(event.partition_key or b"") or None,
                sequence_number=event.sequence_number,
                offset=event.offset,
            )
            for event in events
        ],
        hub,
    )


def _system(event: EventData) -> dict[str, Any]:
    found: dict[str, Any] = _plain(event.system_properties or {})
    if event.body_type is not AmqpMessageBodyType.DATA:
        found[BODY_TYPE] = event.body_type.value
    return found


def _body(event: EventData) -> bytes:
    """Data as it is; a value or a sequence as its JSON."""
    if event.body_type is AmqpMessageBodyType.DATA:
        return b"".join(event.body)
    body = list(event.body) if event.body_type is AmqpMessageBodyType.SEQUENCE else event.body
    return body if isinstance(body, bytes) else json.dumps(_plain(body)).encode()


def _json_datum(value: Any) -> Any:
    return Datum(json.dumps(value), "json")


def _plain(value: Any) -> Any:
    """AMQP values as JSON has them."""
    if isinstance(value, Mapping):
        return {_text(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, datetime):
        return _canonical(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def deliveries_of(events: Sequence[func.EventHubEvent], hub: str) -> list[Delivery]:
    """The events of one trigger call as deliveries. What belongs to all of them stands in the first one's metadata."""
    metadata = _metadata(events[0])
    partition = str(_parsed(metadata.get("PartitionContext"), {}).get("PartitionId", "unknown"))
    system = _parsed(metadata.get("SystemPropertiesArray"), [])
    custom = _parsed(metadata.get("PropertiesArray"), [])
    received = datetime.now(timezone.utc)
    return [
        Delivery(
            hub,
            partition,
            int(event.sequence_number or 0),
            str(event.offset or ""),
            _canonical(event.enqueued_time or received),
            event.get_body(),
            *content_of(its_custom, its_system),
            context_of(event.partition_key, its_custom, its_system),
        )
        for event, its_system, its_custom in zip_longest(events, system[: len(events)], custom[: len(events)])
    ]


_WANTED = ("PartitionContext", "SystemPropertiesArray", "PropertiesArray")


def _metadata(event: func.EventHubEvent) -> Mapping[str, Any]:
    """The metadata that is used here. ``event.metadata`` would convert all of it, which costs more than the rest."""
    raw = getattr(event, "_EventHubEvent__trigger_metadata", None)
    if raw is None:
        return event.metadata or {}
    return {name: raw[name].python_value for name in _WANTED if name in raw}


def _parsed(value: Any, otherwise: Any) -> Any:
    """Hosts hand metadata over as JSON text or already parsed."""
    value = json.loads(value) if isinstance(value, (str, bytes)) else value
    return value if isinstance(value, type(otherwise)) else otherwise


@lru_cache(maxsize=1024)
def _canonical(moment: datetime) -> str:
    if moment.tzinfo is timezone.utc:
        return moment.isoformat(timespec="microseconds")[:26] + "Z"
    return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc))
