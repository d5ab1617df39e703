"""Event Hubs triggers of all kinds; what they got is written to files that the tests read."""

import json
import os
import threading
from pathlib import Path
from typing import List  # noqa: UP035  azure.functions does not know list[...]

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_lock = threading.Lock()


def record(name: str, entries: list[dict]) -> None:
    with _lock, open(Path(os.environ["DATA_DIR"], f"{name}.jsonl"), "a", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)


@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%HUB%",
    connection="EventHubConnection",
    cardinality=func.Cardinality.MANY,
    consumer_group="many",
)
def many(events: List[func.EventHubEvent]) -> None:  # noqa: UP006
    partition = events[0].metadata["PartitionContext"]["PartitionId"]
    entries = [
        {
            "body": event.get_body().decode(),
            "partition": partition,
            "sequence_number": event.sequence_number,
            "offset": event.offset,
            "key": event.partition_key,
            "batch": len(events),
        }
        for event in events
    ]
    record("many", entries)


@app.event_hub_message_trigger(
    arg_name="event",
    event_hub_name="single",
    connection="EventHubConnection",
    cardinality=func.Cardinality.ONE,
)
async def one(event: func.EventHubEvent) -> None:
    entry = {
        "body": event.get_body().decode(),
        "partition": event.metadata["PartitionContext"]["PartitionId"],
        "sequence_number": event.sequence_number,
        "enqueued": str(event.enqueued_time),
    }
    record("one", [entry])


@app.event_hub_message_trigger(
    arg_name="event",
    event_hub_name="bytes",
    connection="EventHubConnection",
    cardinality=func.Cardinality.ONE,
    data_type=func.DataType.BINARY,
)
def binary(event: func.EventHubEvent) -> None:
    record("bytes", [{"trigger": "binary", "hex": event.get_body().hex()}])


@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="bytes",
    connection="EventHubConnection",
    cardinality=func.Cardinality.MANY,
    consumer_group="text",
)
def text(events: List[func.EventHubEvent]) -> None:  # noqa: UP006
    record("bytes", [{"trigger": "text", "hex": event.get_body().hex()} for event in events])


@app.event_hub_message_trigger(
    arg_name="events", event_hub_name="kinds", connection="EventHubConnection", cardinality=func.Cardinality.MANY
)
def kinds(events: List[func.EventHubEvent]) -> None:  # noqa: UP006
    record("kinds", [{"hex": event.get_body().hex()} for event in events])


@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="flaky",
    connection="EventHubConnection",
    cardinality=func.Cardinality.MANY,
)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")
def flaky(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006
    bodies = [event.get_body().decode() for event in events]
    record("flaky", [{"body": body, "retry": context.retry_context.retry_count} for body in bodies])
    if "x" in bodies:
        raise ValueError("always")


@app.route(route="emit", methods=["POST"])
@app.event_hub_output(arg_name="out", event_hub_name="emitted", connection="EventHubConnection")
def emit(req: func.HttpRequest, out: func.Out[List[str]]) -> str:  # noqa: UP006
    out.set(req.get_json())
    return "sent"


@app.event_hub_message_trigger(
    arg_name="event", event_hub_name="emitted", connection="EventHubConnection", cardinality=func.Cardinality.ONE
)
def emitted(event: func.EventHubEvent) -> None:
    record("emitted", [{"body": event.get_body().decode()}])


CONNECTION_AT_IMPORT = os.environ.get("EventHubConnection", "")  # noqa: SIM112


@app.route(route="connection", methods=["GET"])
def connection(req: func.HttpRequest) -> str:
    return CONNECTION_AT_IMPORT
