from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.eventhub import EventData
from event_data import sdk_event
from functions_host.eventhubs import quick_events


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = EventData.__dict__["_from_message"]
    EventData._from_message = quick_events.original
    yield
    EventData._from_message = before


def test_an_event_is_the_same_either_way() -> None:
    message = sdk_event(b"body", 3, key="k", properties={"a": 1}, content_type="text/plain")._message
    theirs = quick_events.original(message)
    ours = quick_events.from_message(EventData, message)
    assert ours.__dict__.keys() == theirs.__dict__.keys()
    for name in ("sequence_number", "offset", "enqueued_time", "partition_key", "properties", "system_properties"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert (
        (ours.body_as_str(), ours.content_type) == (theirs.body_as_str(), theirs.content_type) == ("body", "text/plain")
    )


def test_it_takes_the_place_of_the_sdks_own() -> None:
    assert quick_events.install_quick_events()
    assert EventData._from_message.__func__ is quick_events.from_message


def test_an_sdk_that_differs_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_one_more(message: object) -> EventData:
        event = quick_events.from_message(EventData, message)
        event.something_new = 1
        return event

    monkeypatch.setattr(quick_events, "original", with_one_more)
    assert not quick_events.install_quick_events()
    assert EventData._from_message.__func__ is not quick_events.from_message
