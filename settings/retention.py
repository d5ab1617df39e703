"""How long what is finished is kept."""

from __future__ import annotations

from dataclasses import dataclass

from settings.reader import Reader


@dataclass(frozen=True)
class Retention:
    """How long finished things are kept (hours), and how many of each kind one purge run may delete."""

    messages_hours: float
    batches_hours: float
    dead_letters_hours: float
    durable_hours: float
    limit: int
    schedule: str


def read_retention(read: Reader) -> Retention:
    return Retention(
        messages_hours=read.hours("RETENTION_MESSAGES_HOURS", 30 * 24),
        batches_hours=read.hours("RETENTION_BATCHES_HOURS", 7 * 24),
        dead_letters_hours=read.hours("RETENTION_DEADLETTERS_HOURS", 30 * 24),
        durable_hours=read.hours("RETENTION_DURABLE_HOURS", 24),
        limit=read.whole("PURGE_LIMIT", 5000, 1, 1_000_000),
        schedule=read.schedule("PURGE_SCHEDULE", "30 * * * * *"),
    )
