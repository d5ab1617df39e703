"""Event Hubs triggers against the local hub, with azure-eventhub's own producer."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubProducerClient
from azure.eventhub.amqp import AmqpAnnotatedMessage
from host_support import HostProcess, http, hubs_of, wait_for

pytestmark = pytest.mark.e2e
MakeHost = Callable[..., HostProcess]


def send(host: HostProcess, hub: str, bodies: list[str | bytes], *, size: int = 100, **options: Any) -> None:
    producer = EventHubProducerClient.from_connection_string(host.ready["eventHubConnection"], eventhub_name=hub)
    with producer:
        for start in range(0, len(bodies), size):
            batch = producer.create_batch(**options)
            for body in bodies[start : start + size]:
                batch.add(EventData(body))
            producer.send_batch(batch)


def seen(host: HostProcess, name: str) -> list[dict[str, Any]]:
    path = host.data / "app" / f"{name}.jsonl"
    # The last line may be half written yet.
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def numbered(count: int, start: int = 0) -> list[str | bytes]:
    return [json.dumps({"n": number}) for number in range(start, start + count)]


def bodies(entries: list[dict[str, Any]]) -> list[int]:
    return [json.loads(entry["body"])["n"] for entry in entries]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Any:
    started = HostProcess("events", tmp_path_factory.mktemp("events") / "data", env={"HUB": "main"}).start()
    yield started
    started.kill()


def test_events_of_all_partitions_arrive_once_and_in_order(events: HostProcess) -> None:
    for key in range(8):
        send(events, "main", numbered(50, key * 50), partition_key=f"key-{key}")
    entries = wait_for(lambda: found if len(found := seen(events, "many")) >= 400 else None, "400 events")
    assert sorted(bodies(entries)) == list(range(400))
    for partition in {entry["partition"] for entry in entries}:
        numbers = [entry["sequence_number"] for entry in entries if entry["partition"] == partition]
        assert numbers == list(range(len(numbers)))
    assert {entry["key"] for entry in entries} == {f"key-{key}" for key in range(8)}
    assert len({entry["partition"] for entry in entries}) > 1
    assert all(isinstance(entry["offset"], int) and entry["batch"] <= 200 for entry in entries)


def test_cardinality_one_hands_over_single_events_with_their_metadata(events: HostProcess) -> None:
    send(events, "single", ["a", "b"], partition_id="2")
    entries = wait_for(lambda: found if len(found := seen(events, "one")) >= 2 else None, "two events")
    assert sorted(entry["body"] for entry in entries) == ["a", "b"]
    assert {entry["partition"] for entry in entries} == {"2"}
    assert sorted(entry["sequence_number"] for entry in entries) == [0, 1]
    assert all(entry["enqueued"].startswith("20") for entry in entries)


def test_bytes_stay_bytes_for_a_binary_trigger_only(events: HostProcess) -> None:
    send(events, "bytes", [b"\x08\xff\x01"])
    entries = wait_for(lambda: found if len(found := seen(events, "bytes")) >= 2 else None, "both triggers")
    assert {entry["trigger"]: entry["hex"] for entry in entries} == {"binary": "08ff01", "text": "08efbfbd01"}
    assert "data_type=BINARY" in events.log


def test_bodies_of_all_kinds_arrive_and_harm_none_of_their_neighbours(events: HostProcess) -> None:
    odd = [
        AmqpAnnotatedMessage(value_body=b"\xff\xfe"),
        AmqpAnnotatedMessage(sequence_body=[b"\xff\xfe", 1]),
        AmqpAnnotatedMessage(value_body="text"),
        AmqpAnnotatedMessage(value_body={"a": ["b", 1]}),
        AmqpAnnotatedMessage(sequence_body=[["a"], [2]]),
    ]
    producer = EventHubProducerClient.from_connection_string(events.ready["eventHubConnection"], eventhub_name="kinds")
    with producer:
        batch = producer.create_batch(partition_id="0")
        for number in range(200):
            if number % 40 == 20:
                batch.add(odd[number // 40])
            batch.add(EventData(str(number)))
        producer.send_batch(batch)
    entries = wait_for(lambda: found if len(found := seen(events, "kinds")) >= 205 else None, "all events")
    bodies = [bytes.fromhex(entry["hex"]).decode() for entry in entries]
    assert [body for body in bodies if body.isdigit()] == [str(number) for number in range(200)]
    assert [body for body in bodies if not body.isdigit()] == [
        "\ufffd\ufffd", '["//4=",1]', "text", '{"a":["b",1]}', '["a",2]',
    ]  # fmt: skip


def test_a_retry_policy_is_honoured_before_the_checkpoint(events: HostProcess) -> None:
    send(events, "flaky", ["x"], partition_id="0")
    send(events, "flaky", ["y"], partition_id="0")
    entries = wait_for(lambda: found if len(found := seen(events, "flaky")) >= 4 else None, "the attempts")
    assert [(entry["body"], entry["retry"]) for entry in entries] == [("x", 0), ("x", 1), ("x", 2), ("y", 0)]


def test_the_output_binding_sends_one_event_per_element(events: HostProcess) -> None:
    assert http("POST", f"{events.url}/api/emit", json_body=["p", {"q": 1}]).status == 200
    entries = wait_for(lambda: found if len(found := seen(events, "emitted")) >= 2 else None, "the sent events")
    assert sorted(entry["body"] for entry in entries) == ["p", '{"q": 1}']


def test_the_admin_api_hands_an_event_to_the_function(events: HostProcess) -> None:
    assert http("POST", f"{events.url}/admin/functions/one", json_body={"input": "by hand"}).status == 202
    wait_for(lambda: any(entry["body"] == "by hand" for entry in seen(events, "one")), "the event")


def test_the_hubs_address_is_in_the_environment_of_the_app(events: HostProcess) -> None:
    assert http("GET", f"{events.url}/api/connection").text == events.ready["eventHubConnection"]


def test_a_hub_that_dies_comes_back_and_nothing_is_lost(host: MakeHost) -> None:
    started = host("stream", env={"HUB": "main"}).start()
    send(started, "main", numbered(50))
    wait_for(lambda: len(seen(started, "many")) >= 50, "the first events")
    assert started.process is not None
    (hub,) = hubs_of(started.process.pid)
    os.kill(hub, signal.SIGKILL)
    wait_for(lambda: hubs_of(started.process.pid) not in ([], [hub]), "the new hub")
    assert "starting it again" in started.log
    send(started, "main", numbered(50, 50))
    entries = wait_for(lambda: found if len(found := seen(started, "many")) >= 100 else None, "the later events", 40)
    assert Counter(bodies(entries)) == Counter(range(100))


def test_kill_minus_nine_and_start_again_continues_at_the_checkpoint(host: MakeHost) -> None:
    first = host("stream", env={"HUB": "main"}).start()
    send(first, "main", numbered(300))
    wait_for(lambda: len(seen(first, "many")) >= 100, "the first events")
    first.kill()
    second = host("stream", env={"HUB": "main"}).start()
    send(second, "main", numbered(100, 300))
    wait_for(lambda: set(bodies(seen(second, "many"))) == set(range(400)), "all events")
    # At least once: only what was under way when the process died may come again.
    assert len(seen(second, "many")) <= 400 + 4 * 200
    assert second.stop() == 0
    count = len(seen(second, "many"))
    third = host("stream", env={"HUB": "main"}).start()
    send(third, "main", numbered(1, 400))
    wait_for(lambda: 400 in bodies(seen(third, "many")), "the new event")
    assert len(seen(third, "many")) == count + 1


def test_a_junk_offset_in_a_checkpoint_is_told_and_nothing_is_lost(host: MakeHost) -> None:
    first = host("stream", env={"HUB": "main"}).start()
    send(first, "main", numbered(5), partition_id="0")
    wait_for(lambda: len(seen(first, "many")) >= 5, "the events")
    assert first.stop() == 0
    (checkpoint,) = (first.data / "checkpoints").rglob("0.json")
    document = json.loads(checkpoint.read_text())
    checkpoint.write_text(json.dumps({**document, "offset": "junk"}))
    second = host("stream", env={"HUB": "main"}).start()
    send(second, "main", numbered(1, 5), partition_id="0")
    wait_for(lambda: len(seen(second, "many")) >= 11, "the old events and the new one")
    assert "partition 0 has no offset 'junk', which the checkpoint names (sequence number 4)" in second.log


def test_a_second_host_reads_the_hub_it_is_told_and_both_say_so(host: MakeHost) -> None:
    first = host("stream", env={"HUB": "main"}).start()
    connection = first.ready["eventHubConnection"]
    second = host("stream", env={"HUB": "main", "EventHubConnection": connection}, data="second").start()
    send(first, "main", numbered(3))
    for started in (first, second):
        entries = wait_for(lambda s=started: found if len(found := seen(s, "many")) >= 3 else None, "the events")
        assert sorted(bodies(entries)) == [0, 1, 2]
    assert second.ready["eventHubConnection"] is None
    assert "the setting EventHubConnection names the Event Hubs on port" in second.log
    wait_for(lambda: f"another host (process {first.process.pid}" in second.log, "the second to find the first")
    wait_for(lambda: f"another host (process {second.process.pid}" in first.log, "the first to find the second")


def test_small_batches_wait_to_become_one(host: MakeHost) -> None:
    coalesce = {
        "HUB": "main",
        "AzureFunctionsJobHost__extensions__eventHubs__minEventBatchSize": "50",
        "AzureFunctionsJobHost__extensions__eventHubs__maxWaitTime": "00:01:00",
    }
    started = host("stream", env=coalesce).start()
    send(started, "main", numbered(50), size=10, partition_id="1")
    entries = wait_for(lambda: found if len(found := seen(started, "many")) >= 50 else None, "50 events")
    assert {entry["batch"] for entry in entries} == {50}


def test_start_from_the_end_ignores_what_was_there(host: MakeHost) -> None:
    first = host("stream", env={"HUB": "main"}).start()
    send(first, "main", numbered(5))
    wait_for(lambda: len(seen(first, "many")) >= 5, "the events")
    first.kill()
    (first.data / "app" / "many.jsonl").unlink()
    shutil.rmtree(first.data / "checkpoints")
    from_end = {"HUB": "main", "AzureFunctionsJobHost__extensions__eventHubs__initialOffsetOptions__type": "fromEnd"}
    second = host("stream", env=from_end).start()

    def newest_arrives() -> bool:
        send(second, "main", ['{"n": 99}'])
        return 99 in bodies(seen(second, "many"))

    wait_for(newest_arrives, "an event sent after the start")
    assert set(bodies(seen(second, "many"))) == {99}


def test_without_a_local_hub_a_missing_connection_is_named(host: MakeHost) -> None:
    refused = host("stream", "--no-event-hubs", env={"HUB": "main"}).launch()
    assert refused.process is not None
    assert refused.process.wait(20) == 1
    assert "'EventHubConnection'" in refused.log
