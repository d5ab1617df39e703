"""The store on one SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipeline.clock import now
from pipeline.ports import (
    AlertStore,
    BatchLedger,
    DeadLetterStore,
    FlightStore,
    HeldBatches,
    MessageStore,
    ReferenceStore,
)
from storage.sqlite.alerts import SqliteAlerts
from storage.sqlite.database import Database, Synchronous
from storage.sqlite.dead_letters import SqliteDeadLetters
from storage.sqlite.flights import SqliteFlights
from storage.sqlite.held import SqliteHeld
from storage.sqlite.ledger import SqliteLedger
from storage.sqlite.messages import SqliteMessages
from storage.sqlite.reference import SqliteReference

FILE_NAME = "store.db"
PROBE_BYTES = 1024 * 1024


class SqliteStore:
    """``Store`` in ``data_dir``/store.db. ``lock_timeout``: seconds to wait while another process writes;
    ``synchronous``: see ``Database``."""

    ledger: BatchLedger
    messages: MessageStore
    dead_letters: DeadLetterStore
    held: HeldBatches
    flights: FlightStore
    reference: ReferenceStore
    alerts: AlertStore

    def __init__(self, data_dir: Path, *, lock_timeout: float = 5.0, synchronous: Synchronous = "normal") -> None:
        self.database = Database(data_dir / FILE_NAME, lock_timeout=lock_timeout, synchronous=synchronous)
        self.ledger = SqliteLedger(self.database)
        self.messages = SqliteMessages(self.database)
        self.dead_letters = SqliteDeadLetters(self.database)
        self.held = SqliteHeld(self.database)
        self.flights = SqliteFlights(self.database)
        self.reference = SqliteReference(self.database)
        self.alerts = SqliteAlerts(self.database)

    async def open(self) -> None:
        await self.database.open()

    async def close(self) -> None:
        await self.database.close()

    async def health(self) -> None:
        """A write, because a full or read-only disk can still be read. After a write that failed a large one, because
        the last kilobytes of a full disk take a small one long after they take no batch any more."""
        failed = self.database.failure() is not None
        checked = now() if not failed else now() + " " * PROBE_BYTES

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO health (number, checked_at) VALUES (1, ?)", (checked,))

        await self.database.write(write)
