"""What is deployed for a fleet: the profiles of infra/, with what host.json and the app's settings say besides."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
TRACE_RATIO = 0.05
"""As infra/modules/function-app.bicep sets it."""
AUTOSCALE = False
"""As infra/main.bicep sets it: the messages' throughput is provisioned."""


@dataclass(frozen=True)
class Fleet:
    """``rate`` in messages per second and drone; ``size`` of an event in bytes."""

    drones: int
    rate: float = 1.0
    size: int = 300


@dataclass(frozen=True)
class Deployment:
    """One of infra's profiles. Times in seconds unless said otherwise."""

    drones: int
    partitions: int
    batch: int
    window: float
    signal_window: float
    memory_mb: int
    http_ready: int
    durable_ready: int
    ingest_ready: int
    most_instances: int
    control_queues: int
    cosmos_most: int
    cosmos_autoscale: bool
    ledger_most: int
    flights_every: float
    messages_hours: float
    batches_hours: float
    durable_hours: float
    backend: str = "storage"


def profile(name: str, **changes: Any) -> Deployment:
    """The profile of that name (``1000``, ``10000``), with some of it changed."""
    size = profiles()[name]
    trigger = json.loads((ROOT / "host.json").read_text())["extensions"]["eventHubs"]
    ready = {group["name"]: group["instanceCount"] for group in size["alwaysReady"]}
    app = read_settings(size["appSettings"])
    made = Deployment(
        drones=int(name),
        partitions=size["partitionCount"],
        batch=trigger["maxEventBatchSize"],
        window=_seconds(size["maxWaitTime"]),
        signal_window=app.signal_window,
        memory_mb=size["instanceMemoryMB"],
        http_ready=ready["http"],
        durable_ready=ready["durable"],
        ingest_ready=ready["function:ingest"],
        most_instances=size["maximumInstanceCount"],
        control_queues=size["durablePartitionCount"],
        cosmos_most=size["cosmosMaxThroughput"],
        cosmos_autoscale=AUTOSCALE,
        ledger_most=size["ledgerMaxThroughput"],
        flights_every=_every(app.flights.schedule),
        messages_hours=app.retention.messages_hours,
        batches_hours=app.retention.batches_hours,
        durable_hours=app.retention.durable_hours,
    )
    return replace(made, **changes)


def profiles() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "infra" / "profiles.json").read_text())
    return found


def for_fleet(fleet: Fleet, **changes: Any) -> tuple[Deployment, int]:
    """The smallest profile that is meant for the fleet's messages, and how many of it stand side by side."""
    messages = fleet.drones * fleet.rate
    by_size = sorted(profiles(), key=int)
    name = next((one for one in by_size if messages <= int(one)), by_size[-1])
    return profile(name, **changes), max(1, -(-int(messages) // int(name)))


def _seconds(text: str) -> float:
    hours, minutes, seconds = map(float, text.split(":"))
    return hours * 3_600 + minutes * 60 + seconds


def _every(schedule: str) -> float:
    """Seconds between two runs of a timer ``*/N * * * * *`` or ``S */N * * * *``."""
    seconds, minutes = schedule.split()[:2]
    if seconds.startswith("*/"):
        return float(seconds[2:])
    return 60 * float(minutes[2:]) if minutes.startswith("*/") else 60.0
