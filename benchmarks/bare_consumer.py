"""The least that keeps telemetry: azure-eventhub, decode, validate, one SQLite transaction a batch with its checkpoint.

No ledger, no dead letters to replay, no drones, no HTTP: what the pipeline adds is what it is measured against this.
``python -m benchmarks.bare_consumer --connection … --data DIR`` reads until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sqlite3
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orjson
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient

from telemetry.model import Delivery
from telemetry.rules import Rules
from telemetry.times import from_datetime
from telemetry.validation import validate_batch

HUB = "telemetry"
_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
  id TEXT PRIMARY KEY, device_id TEXT, time TEXT, document BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected (id TEXT PRIMARY KEY, document BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints ("partition" TEXT PRIMARY KEY, offset TEXT);
"""


class Keeper:
    """``stored`` counts what is new in the file, as ``count`` does for all of it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        # As durable as the app's own store.
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_TABLES)
        self._rules = Rules()

    def keep(self, events: list[EventData], partition: str) -> None:
        now = from_datetime(datetime.now(timezone.utc))
        validated = validate_batch([_delivery(event, partition) for event in events], self._rules, partition, now)
        messages = [(one["id"], one["deviceId"], one["time"], orjson.dumps(one)) for one in validated.messages]
        letters = [(one["id"], orjson.dumps(one)) for one in validated.dead_letters]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR IGNORE INTO messages VALUES (?,?,?,?)", messages)
        self._connection.executemany("INSERT OR IGNORE INTO rejected VALUES (?,?)", letters)
        self._connection.execute("INSERT OR REPLACE INTO checkpoints VALUES (?,?)", (partition, events[-1].offset))
        self._connection.execute("COMMIT")


def _delivery(event: EventData, partition: str) -> Delivery:
    enqueued = event.enqueued_time
    assert enqueued is not None
    assert event.sequence_number is not None
    return Delivery(
        HUB,
        partition,
        event.sequence_number,
        str(event.offset),
        enqueued.isoformat(timespec="microseconds")[:26] + "Z",
        b"".join(event.body),
        event.content_type,
    )


async def consume(connection: str, path: Path) -> None:
    keeper = Keeper(path)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    async def received(context: Any, events: list[EventData]) -> None:
        if events:
            keeper.keep(events, context.partition_id)

    client = EventHubConsumerClient.from_connection_string(connection, "$Default", eventhub_name=HUB)
    async with client:
        reading = asyncio.ensure_future(
            client.receive_batch(
                received, max_batch_size=2000, max_wait_time=0.2, prefetch=4000, starting_position="-1"
            )
        )
        await stopping.wait()
        reading.cancel()


def count(path: Path) -> int:
    """Messages and rejected ones that the file holds."""
    connection = sqlite3.connect(path)
    try:
        (messages,) = connection.execute("SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM rejected)")
    finally:
        connection.close()
    return int(messages[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connection", required=True)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    asyncio.run(consume(args.connection, args.data))


if __name__ == "__main__":
    main()
