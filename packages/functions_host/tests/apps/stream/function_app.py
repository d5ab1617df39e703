"""One Event Hubs trigger and nothing else: what it got is written to a file that the tests read."""

import json
import os
import threading
from pathlib import Path
from typing import List  # noqa: UP035  azure.functions does not know list[...]

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_lock = threading.Lock()


@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="%HUB%",
    connection="EventHubConnection",
    cardinality=func.Cardinality.MANY,
    consumer_group="many",
)
def many(events: List[func.EventHubEvent]) -> None:  # noqa: UP006
    lines = [json.dumps({"body": event.get_body().decode(), "batch": len(events)}) + "\n" for event in events]
    with _lock, open(Path(os.environ["DATA_DIR"], "many.jsonl"), "a", encoding="utf-8") as file:
        file.writelines(lines)
