"""Events on their way to a worker: what arrives is what was sent."""

from __future__ import annotations

import pytest
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.metadata import system_properties
from functions_host.eventhubs.wire import received, wired

PLAIN = ReceivedEvent(b"{}", 7, "700", 1_767_225_600_000, "key")


@pytest.mark.parametrize(
    "event",
    [
        PLAIN,
        ReceivedEvent(b"", 8, "800", properties={"site": "north", "level": 3}),
        ReceivedEvent(b"[1]", 9, "900", body_type="sequence"),
        ReceivedEvent(b"\xff", 10, "1000", body_type="value", damage="no UTF-8", body_damage="no UTF-8"),
        ReceivedEvent(b"", 11, "1100", annotations={"iothub-connection-device-id": "falcon-1"}, damage="no properties"),
    ],
)
def test_an_event_arrives_as_it_was_sent(event: ReceivedEvent) -> None:
    assert received(wired(event, binary=True)) == event
    assert system_properties(received(wired(event, binary=True))) == system_properties(event)


def test_an_ordinary_event_is_short() -> None:
    assert wired(PLAIN, binary=True)[-1] is None
