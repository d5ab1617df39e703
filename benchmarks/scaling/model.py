"""A fleet and its deployment in; rates, sizes, dollars and what binds out. Rates are per second."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

from benchmarks.scaling import counts, prices
from benchmarks.scaling.deployment import TRACE_RATIO, Deployment, Fleet
from benchmarks.scaling.prices import HOURS_A_MONTH, SECONDS_A_MONTH
from pipeline.samples import SECONDS_IN_AZURE
from storage.azure.containers import BATCHES, CONTAINERS, FLIGHTS, MESSAGES
from storage.azure.flights import ARRIVALS_AT_ONCE

# Event Hubs quotas: 1 MB/s or 1,000 events/s in, per throughput unit; at most 40 units and 32 partitions (Standard).
# https://learn.microsoft.com/azure/event-hubs/event-hubs-quotas
EVENTS_PER_UNIT = 1_000
BYTES_PER_UNIT = 1_000_000
# Cosmos DB's physical partitions: https://learn.microsoft.com/azure/cosmos-db/partitioning-overview
PHYSICAL_GB = 50
PHYSICAL_RU = 10_000
# A container has at least one RU/s for each GB that is stored, the limit of its autoscale ten, of which a tenth is
# always billed. https://learn.microsoft.com/azure/cosmos-db/concepts-limits and
# https://learn.microsoft.com/azure/cosmos-db/autoscale-faq
RU_OF_A_GB = 1
LEAST = 0.1

_INDEXED = {spec.name: len(spec.indexed) for spec in CONTAINERS}


@dataclass(frozen=True)
class Needs:
    """``cost`` in US dollars a month."""

    messages: float
    throughput_units: int
    batches: float
    messages_per_batch: float
    signals: float
    executions: float
    actions: float
    queue_operations: float
    table_operations: float
    blob_operations: float
    message_units: float
    ledger_units: float
    stored_gb: float
    physical_partitions: int
    cores: float
    durable_instances: int
    capacity_units: int
    logs_gb: float
    cost: dict[str, float]
    hub_cost: float
    """Of the task hub's queues and tables: what the Durable Task Scheduler would replace."""

    @property
    def total(self) -> float:
        return sum(self.cost.values())


def needs(fleet: Fleet, deployment: Deployment) -> Needs:
    """Of one deployment that serves the whole fleet."""
    at = deployment
    messages = fleet.drones * fleet.rate
    units = max(1, math.ceil(max(messages / EVENTS_PER_UNIT, messages * fleet.size / BYTES_PER_UNIT)))
    in_a_batch = max(1.0, min(float(at.batch), messages / at.partitions * at.window))
    batches = messages / in_a_batch
    signals = _signals(fleet, at, batches, in_a_batch)
    flushes = at.partitions / at.signal_window if at.signal_window else 0.0

    executions = batches * (1 + counts.BATCH.executions) + signals + flushes * counts.FLUSH.executions
    actions = batches * counts.BATCH.actions + signals + flushes * counts.FLUSH.actions
    cores = messages * counts.CPU_OF_A_MESSAGE + executions * counts.CPU_OF_AN_EXECUTION
    instances = max(at.durable_ready, math.ceil(cores / counts.BUSY / (at.memory_mb / counts.CORE_MB)))
    cloud = instances + at.http_ready + at.ingest_ready

    on_storage = at.backend == "storage"
    queues = batches * counts.BATCH.queue_operations + signals * counts.QUEUE_OF_A_MESSAGE
    queues += flushes * counts.FLUSH.queue_operations
    queues += counts.IDLE_POLLS_OF_A_QUEUE * (at.control_queues + instances)
    tables = batches * counts.BATCH.table_operations + signals * counts.TABLE_OF_A_SIGNAL
    tables += flushes * counts.FLUSH.table_operations
    hub_cost = prices.QUEUE_OPERATIONS.a_month(queues) + prices.TABLE_OPERATIONS.a_month(tables)
    hub_cost += prices.TABLE_GB.of(batches * at.durable_hours * 3_600 * counts.HISTORY_KILOBYTES / 1e6)

    blobs = counts.BLOBS_OF_A_BATCH
    stored_gb = messages * at.messages_hours * 3_600 * (counts.MESSAGE_BYTES + counts.SYSTEM_BYTES) / 1e9
    raw_gb = messages * at.batches_hours * 3_600 * counts.RAW_KILOBYTES / 1e6
    limit = max(at.cosmos_most, RU_OF_A_GB * stored_gb / (LEAST if at.cosmos_autoscale else 1))
    physical = max(1, math.ceil(stored_gb / PHYSICAL_GB), math.ceil(limit / PHYSICAL_RU))
    on_messages, on_ledger = _request_units(fleet, at, messages, in_a_batch, physical)
    on_ledger += cloud * counts.QUERIES_OF_A_SAMPLE * counts.QUERY_RU / SECONDS_IN_AZURE
    shared = prices.AUTOSCALE_HOUR.of(_hundreds(max(on_ledger, LEAST * at.ledger_most)) * HOURS_A_MONTH)
    if at.cosmos_autoscale:
        own = prices.AUTOSCALE_HOUR.of(_hundreds(max(on_messages, LEAST * limit)) * HOURS_A_MONTH)
    else:
        own = prices.PROVISIONED_HOUR.of(_hundreds(max(on_messages, limit)) * HOURS_A_MONTH)
    logs_gb = _logs(batches, cloud)
    cost = {
        "Event Hubs": prices.THROUGHPUT_UNIT_HOUR.of(units * HOURS_A_MONTH) + prices.INGRESS_EVENTS.a_month(messages),
        "Cosmos DB, request units": own + shared,
        "Cosmos DB, storage": prices.COSMOS_GB.of(stored_gb + raw_gb),
        "Task hub: queues and tables": hub_cost if on_storage else 0.0,
        "Functions, instances": _instances(at, instances),
        "Functions, executions": prices.EXECUTIONS.a_month(executions),
        "Blob storage": prices.BLOB_WRITES.a_month(batches * (blobs.writes + blobs.lists) + at.ingest_ready / 10)
        + prices.BLOB_READS.a_month(batches * (blobs.reads + 1)),
        "Application Insights": prices.LOGS.of(logs_gb),
    }
    return Needs(
        messages=messages,
        throughput_units=units,
        batches=batches,
        messages_per_batch=in_a_batch,
        signals=signals,
        executions=executions,
        actions=actions,
        queue_operations=queues if on_storage else 0.0,
        table_operations=tables if on_storage else 0.0,
        blob_operations=blobs.writes + blobs.lists + blobs.reads,
        message_units=on_messages,
        ledger_units=on_ledger,
        stored_gb=stored_gb,
        physical_partitions=physical,
        cores=cores,
        durable_instances=instances,
        capacity_units=math.ceil(actions / (counts.ACTIONS_OF_A_UNIT * counts.USABLE)),
        logs_gb=logs_gb,
        cost=cost,
        hub_cost=hub_cost,
    )


def _hundreds(request_units: float) -> int:
    return math.ceil(request_units / 100) * 100


def _signals(fleet: Fleet, at: Deployment, batches: float, in_a_batch: float) -> float:
    if at.signal_window:
        # Every drone that has sent something once a window, and at once what cannot wait.
        once = min(fleet.drones / at.signal_window, fleet.drones * fleet.rate)
        return once + fleet.drones * counts.URGENT_A_SECOND
    # Drones keep to their partition and send in turn: a batch has none twice before it has all of the partition's.
    return batches * min(fleet.drones / at.partitions, in_a_batch)


def _request_units(
    fleet: Fleet, at: Deployment, messages: float, in_a_batch: float, physical: int
) -> tuple[float, float]:
    """On the messages' container, and on the others."""
    batches = messages / in_a_batch
    message = counts.Documents(creates=1).request_units(_INDEXED[MESSAGES], kilobytes=counts.MESSAGE_BYTES / 1_000)
    beside = math.ceil(at.ledger_most / PHYSICAL_RU)
    ledger = counts.LEDGER_OF_A_BATCH.request_units(_INDEXED[BATCHES], beside)
    (read_raw, raw), (_, staged) = (
        _of_size(kilobytes * in_a_batch) for kilobytes in (counts.RAW_KILOBYTES, counts.STAGED_KILOBYTES)
    )
    ledger += 2 * (raw + staged) + read_raw
    if at.signal_window:
        held = counts.HELD_OF_A_BATCH.request_units(_INDEXED[BATCHES], beside)
        flush = counts.DOCUMENTS_OF_A_FLUSH.request_units(_INDEXED[BATCHES], beside)
        ledger += held + flush * at.partitions / at.signal_window / batches
    # All that has come since the last look is read, in portions; each writes every flying drone of it once.
    looks = max(1 / at.flights_every, messages / ARRIVALS_AT_ONCE)
    flown = min(fleet.drones * looks, messages)
    flight = counts.FLIGHT_OF_A_DRONE.request_units(_INDEXED[FLIGHTS], 1, counts.FLIGHT_KILOBYTES)
    read = messages * counts.READ_RU_OF_A_PAGE / 100 + looks * counts.QUERY_RU * physical
    return messages * message + read, batches * ledger + flown * flight


def _of_size(kilobytes: float) -> tuple[float, float]:
    """RU of a read and of a write of a large item, by the measurements around it."""
    sizes, reads, writes = zip(*counts.RU_BY_SIZE, strict=True)
    return float(numpy.interp(kilobytes, sizes, reads)), float(numpy.interp(kilobytes, sizes, writes))


def _instances(at: Deployment, durable: int) -> float:
    """Dollars a month. Under steady load something runs at any moment on an instance that batches come to."""
    gigabytes = at.memory_mb / 1_024

    def of(price: prices.Price, instances: float) -> float:
        return price.of(instances * gigabytes * SECONDS_A_MONTH)

    ready = at.http_ready + at.durable_ready + at.ingest_ready
    busy = at.durable_ready + at.ingest_ready + at.http_ready * counts.HTTP_BUSY
    return (
        of(prices.ALWAYS_READY, ready)
        + of(prices.ALWAYS_READY_EXECUTION, busy)
        + of(prices.ON_DEMAND, durable - at.durable_ready + counts.TIMERS_BUSY)
    )


def _logs(batches: float, instances: int) -> float:
    """GB a month."""
    records = instances * (counts.SERIES_OF_AN_INSTANCE / counts.EXPORT_SECONDS + counts.HOST_RECORDS_A_SECOND)
    records += batches * counts.SPANS_OF_A_BATCH * TRACE_RATIO
    return records * counts.RECORD_KB * SECONDS_A_MONTH / 1e6
