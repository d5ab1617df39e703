"""Where a partition is read from, without a hub."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, List, cast  # noqa: UP035

import azure.functions as func
import pytest
from azure.eventhub import EventData
from azure.eventhub._pyamqp.message import Message
from functions_host.errors import StartError
from functions_host.eventhubs.checkpoints import Checkpoint, CheckpointStore
from functions_host.eventhubs.connection import Source, local_connection_string
from functions_host.eventhubs.events import ReceivedEvent, from_sdk
from functions_host.eventhubs.hub import HubConnection, read_all
from functions_host.eventhubs.listener import EventHubListener
from functions_host.eventhubs.local.connection import LocalConnection
from functions_host.eventhubs.positions import PartitionState
from functions_host.eventhubs.pump import PartitionPump
from functions_host.eventhubs.sdk_connection import SdkConnection
from functions_host.functions import index
from functions_host.host_json import EventHubsOptions, InitialOffset


class Hub:
    """The one call the listener makes before it receives."""

    def __init__(self, last: int) -> None:
        self.last = last

    async def state(self, partition: str) -> PartitionState:
        return PartitionState(0, self.last, str(self.last * 1000))


def listener(folder: Path, initial: InitialOffset | None = None, connection: str | None = None) -> EventHubListener:
    app = func.FunctionApp()

    @app.event_hub_message_trigger(arg_name="events", event_hub_name="h", connection="C", cardinality="many")
    def read(events: List[func.EventHubEvent]) -> None: ...  # noqa: UP006

    options = EventHubsOptions(initial_offset=initial or InitialOffset())
    source = Source("h", connection_string=connection or local_connection_string(9), is_local=True)
    return EventHubListener(index(app.get_functions())[0], source, options, None, folder)  # type: ignore[arg-type]


def pump_of(it: EventHubListener, partition: str) -> PartitionPump:
    return PartitionPump(it.function, partition, {}, it._options, it._invoker, it._store, it._stopping, it._step)


async def position(folder: Path, last: int, initial: InitialOffset | None = None) -> tuple[Any, PartitionPump]:
    it = listener(folder, initial)
    pump = pump_of(it, "0")
    return await it._position(cast(HubConnection, Hub(last)), pump), pump


MOMENT = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("initial", "expected"),
    [
        (InitialOffset("fromStart"), "-1"),
        (InitialOffset("fromEnd"), "@latest"),
        (InitialOffset("fromEnqueuedTime", MOMENT), MOMENT),
    ],
)
async def test_without_a_checkpoint_host_json_decides(tmp_path: Path, initial: InitialOffset, expected: Any) -> None:
    assert (await position(tmp_path, 5, initial))[0] == expected


async def test_a_checkpoint_wins_over_host_json(tmp_path: Path) -> None:
    CheckpointStore(tmp_path, "local/h", "$Default").save("0", Checkpoint("4096", 5))
    found, pump = await position(tmp_path, 5, InitialOffset("fromEnd"))
    assert found == 5
    assert pump.last_received == Checkpoint("4096", 5)


async def test_a_hub_that_was_made_anew_is_read_from_its_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    CheckpointStore(tmp_path, "local/h", "$Default").save("0", Checkpoint("4096", 5))
    found, pump = await position(tmp_path, 2)
    assert (found, pump.last_received) == ("-1", None)
    assert "made anew" in caplog.text


async def test_a_connection_string_the_sdk_cannot_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="'read'"):
        listener(tmp_path, connection="Endpoint=sb://ns.example/;SharedAccessKeyName=only").start()


async def test_a_list_of_events_without_cardinality_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = func.FunctionApp()

    @app.event_hub_message_trigger(arg_name="events", event_hub_name="h", connection="C")
    def read(events: List[func.EventHubEvent]) -> None: ...  # noqa: UP006

    source = Source("h", connection_string=local_connection_string(9), is_local=True)
    it = EventHubListener(index(app.get_functions())[0], source, EventHubsOptions(), None, tmp_path)  # type: ignore[arg-type]
    it.start()
    await it.close()
    assert "no cardinality=MANY" in caplog.text


async def test_events_that_are_damaged_are_named_and_handed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    it = listener(tmp_path)
    pump = pump_of(it, "3")
    await it._take(pump, [ReceivedEvent(b"a", 1, "10"), ReceivedEvent(b"b", 3, "30", damage="no footer")])
    assert pump.last_received == Checkpoint("30", 3)
    assert (
        "partition 3: the event at offset 30 (sequence number 3) could not be read as it is (no footer)" in caplog.text
    )


async def test_events_that_are_gone_while_reading_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    it = listener(tmp_path)
    pump = pump_of(it, "3")
    for numbers in ([5, 6], [6, 7, 8], [12, 14], [15]):
        await it._take(pump, [ReceivedEvent(b"x", number, str(number * 10)) for number in numbers])
    assert caplog.text.count("are gone") == 1
    assert "partition 3: 4 event(s) are gone between numbers 8 and 14" in caplog.text


def test_an_event_without_a_place_is_named_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    good = {b"x-opt-sequence-number": 1, b"x-opt-offset": b"10"}
    events = [
        EventData._from_message(Message(data=[b"a"], message_annotations=good)),
        EventData._from_message(Message(data=[b"b"], message_annotations={})),
        EventData._from_message(Message(data=[b"c"], message_annotations={**good, b"x-opt-sequence-number": 3})),
    ]
    assert [event.body for event in read_all(events, from_sdk, "read: Event Hub h partition 3")] == [b"a", b"c"]
    assert "read: Event Hub h partition 3: the event after offset 10 cannot be read and is passed over" in caplog.text


@pytest.mark.parametrize(("is_local", "kind"), [(True, LocalConnection), (False, SdkConnection)])
async def test_the_local_hub_is_read_without_the_sdk(tmp_path: Path, is_local: bool, kind: type) -> None:
    it = listener(tmp_path)
    it.source = Source("h", connection_string=local_connection_string(9), is_local=is_local)
    assert isinstance(it._connect(), kind)
