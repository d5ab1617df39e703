"""What one batch, one signal, one message and so on ask of the services.

*Counted*: on the tests' protocol servers and the engine in memory, by tests/contract_store/test_costs.py, which fails
when the code asks for something else than what stands here. *Read*: in the sources of the engine. *Assumed*: neither
can be had here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Documents:
    """Operations on documents of Cosmos DB; ``queries`` ask every physical partition of their container."""

    reads: float = 0
    creates: float = 0
    replaces: float = 0
    patches: float = 0
    queries: float = 0

    def request_units(self, indexed: int, physical_partitions: int = 1, kilobytes: float = 1) -> float:
        """By the published rules: a read of 1 KB is 1, a write about 5 for a KB and half of one for each indexed value,
        a replacement and a patch about two writes. https://learn.microsoft.com/azure/cosmos-db/request-units"""
        size = max(1.0, kilobytes)
        write = WRITE_RU * size + INDEXED_RU * indexed
        changed = 2 * WRITE_RU * size + INDEXED_RU * indexed
        return (
            self.reads * size
            + self.creates * write
            + (self.replaces + self.patches) * changed
            + self.queries * QUERY_RU * physical_partitions
        )


@dataclass(frozen=True)
class Blobs:
    """Requests to Blob storage by how they are billed (a delete is free)."""

    writes: float = 0
    lists: float = 0
    reads: float = 0


@dataclass(frozen=True)
class Work:
    """What the durable engine does for one orchestration."""

    episodes: int
    activities: int

    @property
    def executions(self) -> int:
        return self.episodes + self.activities

    @property
    def actions(self) -> int:
        """As the Durable Task Scheduler counts: a start one, an activity two (its schedule, its result)."""
        return 1 + 2 * self.activities

    @property
    def queue_operations(self) -> float:
        return QUEUE_OF_A_MESSAGE * (self.episodes + self.activities)

    @property
    def table_operations(self) -> float:
        return TABLE_OF_AN_EPISODE * self.episodes + TABLE_OF_A_START + TABLE_OF_A_PURGE


QUERIES_OF_A_SAMPLE = 4
"""For the ledger's totals, which every process asks for now and then (``pipeline.samples``)."""

# Cosmos DB's published rules, see ``Documents.request_units``.
WRITE_RU = 5.0
INDEXED_RU = 0.5
QUERY_RU = 2.5
# Of a large item the published measurements: KB, RU of a read, RU of a write (a delete is taken for one).
# https://learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption
RU_BY_SIZE = (
    (1, 1.00, 4.95), (2, 1.04, 6.29), (4, 1.14, 6.67), (8, 1.33, 7.04), (16, 1.67, 9.52), (32, 2.19, 11.23),
    (64, 4.76, 22.67), (128, 9.95, 48.19), (256, 20.28, 98.29),
)  # fmt: skip
READ_RU_OF_A_PAGE = 10.0  # a query's page of 100 items of 1 KB; docs/storage-azure.md

# Counted: one batch of messages of as many drones, from received to completed.
LEDGER_OF_A_BATCH = Documents(reads=5, creates=1, replaces=5, patches=3, queries=1)
BODIES_OF_A_BATCH = ("raw", "staged")
"""Items that hold a batch's bytes. Each is written once and deleted once; the raw one is read."""
RAW_KILOBYTES, STAGED_KILOBYTES = 0.05, 0.072
"""Of these items, for each message of the batch: compressed, as text."""
BLOBS_OF_A_BATCH = Blobs(writes=0, lists=0, reads=0)
"""Of a batch whose bytes fit into items (storage/azure/bodies.py)."""
BATCH = Work(episodes=3, activities=2)
FLUSH = Work(episodes=3, activities=1)
"""Of one partition, once a signal window: it waits, tells the drones, ends."""
HELD_OF_A_BATCH = Documents(reads=1, replaces=1)
"""What it adds for each batch of the window; what was staged is read as well where another process has staged it."""
DOCUMENTS_OF_A_FLUSH = Documents(queries=1)
MESSAGE_BYTES = 820
"""Of a message that says everything, as it is stored (the event has 290)."""

# Counted: what a look for flights writes for each drone that flies and has sent something.
FLIGHT_OF_A_DRONE = Documents(reads=1, replaces=2)
FLIGHT_KILOBYTES = 0.95

# Assumed: the service's own fields of an item and its share of the index.
SYSTEM_BYTES = 180

# Read: DurableTask.AzureStorage. A message is put, got and deleted (a get brings up to 32, but here each counts one);
# an episode reads its history, writes it (about five rows, each counted) and updates its instance's row.
QUEUE_OF_A_MESSAGE = 3.0
TABLE_OF_AN_EPISODE = 7.0
TABLE_OF_A_START = 2.0
TABLE_OF_A_PURGE = 4.0
# An entity's run is an episode with few rows.
SIGNAL = Work(episodes=1, activities=0)
TABLE_OF_A_SIGNAL = 3.5
# Assumed: a batch's history in the tables: 6 KB of JSON (tests/replay_gate), as UTF-16 and with the rows' own fields.
HISTORY_KILOBYTES = 15.0
# Assumed: looks at an empty queue. The engine waits longer and longer, up to maxQueuePollingInterval (1 s).
IDLE_POLLS_OF_A_QUEUE = 2.0

# Measured on the real extension (docs/scaling.md): 7 to 8 ms of host and Python for an entity's run; every other
# execution is assumed to take as much. A message through all stages: ``python -m benchmarks activities``.
CPU_OF_AN_EXECUTION = 0.0075
CPU_OF_A_MESSAGE = 0.00006
CORE_MB = 2_048
"""Memory of an instance that comes with one core."""
BUSY = 0.7
"""How far cores are filled by plan."""

# Published: https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
ACTIONS_OF_A_UNIT = 2_000
UNITS_OF_A_SCHEDULER = 3
USABLE = 0.5
"""Azure/Durable-Task-Scheduler#364 reports trouble from 50 to 85 % of the published rate."""

# Measured: what cannot wait for the window, by the demo fleet (``python -m benchmarks signals``).
URGENT_A_SECOND = 0.0133

# Assumed: what Application Insights takes in. Records of 1 KB: our metrics (25 series an instance) every 15 s, two
# things the host says of itself a second and instance, and the spans that are kept.
RECORD_KB = 1.0
SERIES_OF_AN_INSTANCE = 25
EXPORT_SECONDS = 15
HOST_RECORDS_A_SECOND = 0.5
SPANS_OF_A_BATCH = 5

# Assumed: the timers (sweeper, purger, flights) and HTTP each on an instance of their own, by how much of the time.
TIMERS_BUSY = 0.4
HTTP_BUSY = 0.2
