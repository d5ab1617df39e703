"""How long what is finished is kept."""

from __future__ import annotations

from dataclasses import dataclass

from settings.errors import SettingError
from settings.reader import Reader

REDELIVERY_HOURS = 90 * 24
"""The longest that Event Hubs keeps events, and may deliver them again."""


@dataclass(frozen=True)
class Retention:
    """How long finished things are kept (hours), and how many of each kind one purge run may delete."""

    messages_hours: float
    batches_hours: float
    dead_letters_hours: float
    flights_hours: float
    alerts_hours: float
    durable_hours: float
    purged_hours: float  # what is left of a purged batch
    limit: int
    schedule: str


def read_retention(read: Reader) -> Retention:
    batches = read.hours("RETENTION_BATCHES_HOURS", 7 * 24)
    kept = {name: read.hours(name, 30 * 24) for name in ("RETENTION_MESSAGES_HOURS", "RETENTION_DEADLETTERS_HOURS")}
    for name, hours in kept.items():
        if hours < batches:
            # A batch that runs again asks them what became of its messages.
            raise SettingError(name, f"is {hours:g}; allowed: at least RETENTION_BATCHES_HOURS, which is {batches:g}")
    return Retention(
        messages_hours=kept["RETENTION_MESSAGES_HOURS"],
        batches_hours=batches,
        dead_letters_hours=kept["RETENTION_DEADLETTERS_HOURS"],
        flights_hours=_flights(read, kept["RETENTION_MESSAGES_HOURS"]),
        alerts_hours=read.hours("RETENTION_ALERTS_HOURS", 365 * 24),
        durable_hours=_durable(read, batches),
        purged_hours=read.hours("RETENTION_PURGED_HOURS", REDELIVERY_HOURS),
        limit=read.whole("PURGE_LIMIT", 5000, 1, 1_000_000),
        schedule=read.schedule("PURGE_SCHEDULE", "30 * * * * *"),
    )


def _durable(read: Reader, batches: float) -> float:
    hours = read.hours("RETENTION_DURABLE_HOURS", min(24, batches))
    if hours > batches:
        # Histories are deleted by the ledger's list of completed batches.
        allowed = f"at most RETENTION_BATCHES_HOURS, which is {batches:g}"
        raise SettingError("RETENTION_DURABLE_HOURS", f"is {hours:g}; allowed: {allowed}")
    return hours


def _flights(read: Reader, messages: float) -> float:
    hours = read.hours("RETENTION_FLIGHTS_HOURS", max(365 * 24, messages))
    if hours < messages:
        # They would be worked out again from the messages that are still there.
        allowed = f"at least RETENTION_MESSAGES_HOURS, which is {messages:g}"
        raise SettingError("RETENTION_FLIGHTS_HOURS", f"is {hours:g}; allowed: {allowed}")
    return hours
