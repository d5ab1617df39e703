"""How long ``make run`` keeps things: its data folder stays under a gigabyte, however large the fleet.

What takes room there: messages and batches in the store, instances and histories in the durable engine, the local hub's
log, flights and alerts, the databases' write-ahead logs and the host's log. Everything finished is deleted when its
time is over; SQLite fills the pages that become free, so a file stays as large as its fullest moment.

The sizes are measured (21 minutes of 1,000 messages a second, and 30 seconds of 50), rounded up.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tools.demo import local_values
from tools.run_status import MAX_LOG_BYTES

DISK_BYTES = 1_000_000_000
MESSAGE_BYTES = 980  # its document, its row and its two indexes
RAW_BYTES = 280  # of a message, in its batch's body
BATCH_BYTES = 6_300  # its row, what is left of it, its instance and that one's history
FLIGHT_BYTES = 1_300
ALERT_BYTES = 8_000  # with its instance
BATCHES_PER_SECOND = 12.0
"""The starter paces itself: more messages make larger batches."""
FLIGHTS_PER_HOUR = ALERTS_PER_HOUR = 4.0
"""Of a drone of the demo fleet."""

EVENT_BYTES = 200  # in the local hub's log
_HUB_PARTITIONS = 4
_HUB_MIB = 16.0  # of a partition, at most
_HUB_BYTES = _HUB_PARTITIONS * _HUB_MIB * 1.25 * 2**20
_LOG_BYTES = MAX_LOG_BYTES + 2 * 64 * 2**20  # and a write-ahead log of each database
_EPISODES_BYTES = 70_000_000  # flights and alerts
_FILLED = 0.85
"""Of a database's pages: a purge leaves some half full."""
_BUDGET = (DISK_BYTES - _HUB_BYTES - _LOG_BYTES - _EPISODES_BYTES) * _FILLED
_PURGE_SECONDS = 60.0  # from one purge to the next: what has grown old meanwhile is still there
_SHORTEST_SECONDS = 120.0
_LONGEST_HOURS = 30 * 24.0
WORTH_GIVING_BACK = 50_000_000


@dataclass(frozen=True)
class DemoRetention:
    """Hours, and the log of a partition of the local hub. ``fits``: the folder stays under ``DISK_BYTES``."""

    batches: float
    messages: float
    flights: float
    hub_mib: float
    fits: bool

    def settings(self) -> dict[str, str]:
        """For the environment of a host. The local hub keeps events hardly longer than their batches are kept: what is
        left of a purged batch tells of events that come again, and need not stay for 90 days."""
        return {
            name: f"{hours:.4f}"
            for name, hours in {
                "RETENTION_BATCHES_HOURS": self.batches,
                "RETENTION_MESSAGES_HOURS": self.messages,
                "RETENTION_DEADLETTERS_HOURS": self.messages,
                "RETENTION_FLIGHTS_HOURS": self.flights,
                "RETENTION_ALERTS_HOURS": self.flights,
                "RETENTION_DURABLE_HOURS": self.batches,
                "RETENTION_PURGED_HOURS": 2 * self.batches,
            }.items()
        }

    def told(self) -> str:
        kept = f"messages {_words(self.messages)}, batches {_words(self.batches)}, flights {_words(self.flights)}"
        if self.fits:
            return f"{kept}: under 1 GB (RETENTION_… settings change it)"
        return f"{kept}; at this rate that is MORE THAN 1 GB (a smaller --drones or --rate)"


def demo_retention(drones: int, rate: float) -> DemoRetention:
    """For a fleet of so many drones, each sending ``rate`` messages a second."""
    messages = drones * rate
    of_batches = min(BATCHES_PER_SECOND, messages) * BATCH_BYTES + messages * RAW_BYTES
    of_messages = messages * MESSAGE_BYTES
    # Half each; but messages are kept at least as long as batches.
    for_both = _BUDGET / (of_batches + of_messages)
    batches = min(for_both, _BUDGET / 2 / of_batches)
    kept = for_both if batches == for_both else (_BUDGET - batches * of_batches) / of_messages
    fits = kept - _PURGE_SECONDS >= _SHORTEST_SECONDS
    hours = [
        min(max(seconds - _PURGE_SECONDS, _SHORTEST_SECONDS) / 3600, _LONGEST_HOURS) for seconds in (batches, kept)
    ]
    an_hour = drones * (FLIGHTS_PER_HOUR * FLIGHT_BYTES + ALERTS_PER_HOUR * ALERT_BYTES)
    flights = min(max(_EPISODES_BYTES / an_hour, hours[1]), _LONGEST_HOURS)
    hub = messages * EVENT_BYTES * hours[0] * 3600 * 1.25 / _HUB_PARTITIONS / 2**20
    return DemoRetention(hours[0], hours[1], flights, min(max(hub, 1.0), _HUB_MIB), fits)


def chosen_retention() -> list[str]:
    """The retention settings that somebody has set, in the environment or in ``local.settings.json``."""
    return sorted(
        name for name in {*os.environ, *local_values()} if name.startswith("RETENTION_") and name.endswith("_HOURS")
    )


def give_back(data: Path) -> int:
    """Bytes that databases of an earlier run hold but do not use, given back to the disk before the host starts."""
    given = 0
    for path in (data / "app" / "store.db", data / "durable" / "durable.db"):
        if path.is_file():
            given += _vacuum(path)
    return given


def _vacuum(path: Path) -> int:
    """None of it if somebody has the file open, or it is none of SQLite's: whoever needs it will say so."""
    try:
        connection = sqlite3.connect(path, timeout=0.1)
        try:
            (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            if pages * page_bytes < WORTH_GIVING_BACK:
                return 0
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return int(pages * page_bytes)
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


def _words(hours: float) -> str:
    minutes = round(hours * 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"
