"""What ought to come out of a set of deliveries, worked out without the app's own code: slow, plain and independent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from telemetry.model import Delivery

FIELDS = ("battery", "groundSpeed", "heading")


@dataclass(frozen=True)
class Expected:
    """Distinct accepted messages (as JSON text), where the rejected ones were delivered, and each drone's fields."""

    accepted: set[str]
    rejected: set[tuple[str, int, int | None]]
    drones: dict[str, dict[str, Any]]


def elements(delivery: Delivery) -> list[tuple[int | None, Any]]:
    """(index, message) of an event; None is the event that cannot be read."""
    try:
        body = json.loads(delivery.body)
    except ValueError:
        return [(None, None)]
    return list(enumerate(body)) if isinstance(body, list) else [(None, body)]


def acceptable(message: Any) -> bool:
    """The only fault that the chaos makes besides unreadable bodies."""
    return message is not None and 0 <= message["battery"] <= 1


def expected(deliveries: Iterable[Delivery]) -> Expected:
    accepted: dict[str, dict[str, Any]] = {}
    rejected = set()
    for delivery in deliveries:
        for index, message in elements(delivery):
            if acceptable(message):
                accepted[json.dumps(message, sort_keys=True)] = message
            else:
                rejected.add((delivery.partition, delivery.sequence_number, index))
    drones: dict[str, dict[str, Any]] = {}
    for message in sorted(accepted.values(), key=lambda one: str(one["timestamp"])):
        drone = drones.setdefault(message["deviceId"], {})
        drone |= {field: message[field] for field in FIELDS if field in message}
    return Expected(set(accepted), rejected, drones)


def messages_in(deliveries: Iterable[Delivery]) -> int:
    return sum(len(elements(delivery)) for delivery in deliveries)
