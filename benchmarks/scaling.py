"""What a fleet needs in Azure, by calculation: ``python -m benchmarks.scaling --drones 100000 --rate 1``.

Nothing is measured here. Every constant names where it comes from; docs/scaling.md explains the model and what binds.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3_600

# Event Hubs quotas: 1 MB/s or 1,000 events/s in, per throughput unit; at most 40 units and 32 partitions (Standard).
# https://learn.microsoft.com/azure/event-hubs/event-hubs-quotas
EVENTS_PER_UNIT = 1_000
BYTES_PER_UNIT = 1_000_000
STANDARD_UNITS = 40
STANDARD_PARTITIONS = 32

# Request units: a write of 1 KB is about 5 RU plus what is indexed; a point read of 1 KB is 1 RU.
# https://learn.microsoft.com/azure/cosmos-db/request-units; docs/storage-azure.md has this app's operations.
WRITE_RU = 6.5
LEDGER_RU_PER_BATCH = 100.0

# Measured on the real extension with the Azure Storage provider: an entity signal costs 7 to 8 ms of host and Python
# CPU, one host with two cores saturates at about 100 a second (docs/scaling.md has the measurement).
SIGNALS_PER_HOST = 80.0
SIGNAL_TRANSACTIONS = 12.0  # queue put, get, delete; instance and history tables; lease and large-message checks

# Per orchestration with five activities, counted from its protocol: a control-queue message, a work-item message and
# their deletes for each step, one history batch and one instance update for each episode.
STEPS = 5
STEP_TRANSACTIONS = 8.0
ORCHESTRATION_TRANSACTIONS = 10.0

# List prices, East US, pay as you go, 2025; check yours at https://azure.microsoft.com/pricing/calculator
UNIT_HOUR = 0.030
MILLION_EVENTS = 0.028
AUTOSCALE_100_RU_HOUR = 0.012
STORAGE_10K_TRANSACTIONS = (0.004 + 0.00036) / 2  # about as many queue operations as table operations
GB_SECOND = 0.000026
MILLION_EXECUTIONS = 0.40
INSTANCE_GB = 2.0

# Measured by `make bench` on the local host (activities of one batch of 1,000): CPU of one message through all stages.
CPU_SECONDS_PER_MESSAGE = 0.00006

# On the real extension (see SIGNALS_PER_HOST).
CPU_SECONDS_PER_SIGNAL = 0.0075


_TRIGGER = json.loads((Path(__file__).resolve().parent.parent / "host.json").read_text())["extensions"]["eventHubs"]
_HOURS, _MINUTES, _SECONDS = map(float, _TRIGGER["maxWaitTime"].split(":"))
WINDOW_SECONDS = _HOURS * 3600 + _MINUTES * 60 + _SECONDS
BATCH_EVENTS: int = _TRIGGER["maxEventBatchSize"]


@dataclass(frozen=True)
class Fleet:
    """``rate`` in messages per second per drone; ``size`` of a message in bytes; ``window`` is the trigger's
    maxWaitTime in seconds, ``batch`` its maxEventBatchSize: host.json's, unless said otherwise."""

    drones: int
    rate: float
    size: int = 300
    window: float = WINDOW_SECONDS
    batch: int = BATCH_EVENTS
    partitions: int | None = None


@dataclass(frozen=True)
class Needs:
    """Per second where not said otherwise; ``cost`` in US dollars a month."""

    messages: float
    throughput_units: int
    partitions: int
    batches: float
    messages_per_batch: float
    signals: float
    orchestrations: float
    activities: float
    storage_transactions: float
    request_units: float
    hosts: int
    cost: dict[str, float]
    binds: list[str]


def needs(fleet: Fleet) -> Needs:
    messages = fleet.drones * fleet.rate
    units = max(1, math.ceil(max(messages / EVENTS_PER_UNIT, messages * fleet.size / BYTES_PER_UNIT)))
    partitions = fleet.partitions or min(STANDARD_PARTITIONS, max(4, units))
    per_partition = messages / partitions
    in_a_batch = max(1.0, min(float(fleet.batch), per_partition * fleet.window))
    batches = messages / in_a_batch
    # Drones keep to their partition and send in turn: a batch has none twice before it has all of the partition's.
    drones_seen = min(fleet.drones / partitions, in_a_batch)
    signals = batches * drones_seen
    transactions = signals * SIGNAL_TRANSACTIONS + batches * (STEPS * STEP_TRANSACTIONS + ORCHESTRATION_TRANSACTIONS)
    request_units = messages * WRITE_RU + batches * LEDGER_RU_PER_BATCH
    hosts = max(1, math.ceil(signals / SIGNALS_PER_HOST))
    cpu = messages * CPU_SECONDS_PER_MESSAGE + signals * CPU_SECONDS_PER_SIGNAL
    executions = batches * (1 + STEPS + STEPS + 1) + signals
    cost = {
        "Event Hubs": units * UNIT_HOUR * HOURS_A_MONTH + messages * SECONDS_A_MONTH / 1e6 * MILLION_EVENTS,
        "Cosmos DB": math.ceil(request_units / 100) * AUTOSCALE_100_RU_HOUR * HOURS_A_MONTH,
        "Storage transactions": transactions * SECONDS_A_MONTH / 10_000 * STORAGE_10K_TRANSACTIONS,
        "Functions": max(cpu, hosts * 0.5) * SECONDS_A_MONTH * INSTANCE_GB * GB_SECOND
        + executions * SECONDS_A_MONTH / 1e6 * MILLION_EXECUTIONS,
    }
    return Needs(
        messages=messages,
        throughput_units=units,
        partitions=partitions,
        batches=batches,
        messages_per_batch=in_a_batch,
        signals=signals,
        orchestrations=batches,
        activities=batches * STEPS,
        storage_transactions=transactions,
        request_units=request_units,
        hosts=hosts,
        cost=cost,
        binds=_binds(units, signals, request_units),
    )


def _binds(units: int, signals: float, request_units: float) -> list[str]:
    """What to look at first, hardest first."""
    found = []
    if signals > 16 * SIGNALS_PER_HOST:
        found.append("entity signals: control queues of the Azure Storage provider (at most 16 partitions)")
    elif signals > SIGNALS_PER_HOST:
        found.append("entity signals: more than one host is needed")
    if units > STANDARD_UNITS:
        found.append("Event Hubs: beyond 40 throughput units, Premium or several namespaces")
    if request_units > 1_000_000:
        found.append("Cosmos DB: beyond 1,000,000 RU/s in one database, ask for more or split")
    return found


def report(fleets: Sequence[Fleet]) -> str:
    columns = [needs(fleet) for fleet in fleets]
    lines = [
        "| | " + " | ".join(f"{fleet.drones:,} drones" for fleet in fleets) + " |",
        "|---|" + "---:|" * len(fleets),
    ]

    def row(name: str, values: Sequence[str]) -> None:
        lines.append(f"| {name} | " + " | ".join(values) + " |")

    row("messages/s", [f"{need.messages:,.0f}" for need in columns])
    row("window, s", [f"{fleet.window:g}" for fleet in fleets])
    row("throughput units", [f"{need.throughput_units:,}" for need in columns])
    row("partitions", [f"{need.partitions:,}" for need in columns])
    row("batches/s", [f"{need.batches:,.1f}" for need in columns])
    row("messages per batch", [f"{need.messages_per_batch:,.0f}" for need in columns])
    row("entity signals/s", [f"{need.signals:,.0f}" for need in columns])
    row("orchestrations/s; activities/s", [f"{n.orchestrations:,.1f}; {n.activities:,.1f}" for n in columns])
    row("storage transactions/s", [f"{need.storage_transactions:,.0f}" for need in columns])
    row("RU/s", [f"{need.request_units:,.0f}" for need in columns])
    row("hosts (2 cores)", [f"{need.hosts:,}" for need in columns])
    for service in columns[0].cost:
        row(f"{service}, $/month", [f"{need.cost[service]:,.0f}" for need in columns])
    row("together, $/month", [f"{sum(need.cost.values()):,.0f}" for need in columns])
    row("binds first", [need.binds[0] if need.binds else "nothing" for need in columns])
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--drones", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--rate", type=float, default=1.0, help="messages per second per drone")
    parser.add_argument("--size", type=int, default=300, help="bytes of a message")
    parser.add_argument("--window", type=float, default=WINDOW_SECONDS, help="maxWaitTime in seconds")
    parser.add_argument("--batch", type=int, default=BATCH_EVENTS, help="maxEventBatchSize")
    parser.add_argument("--partitions", type=int, help="of the hub (default: one a throughput unit, 4 to 32)")
    args = parser.parse_args(argv)
    print(report([Fleet(n, args.rate, args.size, args.window, args.batch, args.partitions) for n in args.drones]))


if __name__ == "__main__":
    main()
