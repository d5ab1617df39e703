"""Event Hubs triggers of both cardinalities; what they got is written to files that tests read."""

import json
import logging
import os
import threading
from pathlib import Path
from typing import List  # noqa: UP035  (azure.functions does not know list[...])

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_lock = threading.Lock()
_seen = Path(os.environ["DATA_DIR"])


def record(name: str, entries: list[dict]) -> None:
    with _lock, open(_seen / f"{name}.jsonl", "a", encoding="utf-8") as file:
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
    logging.info("batch of %d from partition %s", len(events), partition)
    record(
        "many",
        [
            {
                "body": event.get_body().decode(),
                "partition": partition,
                "sequence_number": event.sequence_number,
                "offset": event.offset,
                "key": event.partition_key,
                "batch": len(events),
            }
            for event in events
        ],
    )
