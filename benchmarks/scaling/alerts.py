"""What alerts cost on Azure: the monitor's tick of an idle fleet, and each alert of a busy one.

*Counted*: episodes and activities, in the recordings of the replay gate, by tests/unit/benchmarks/test_alert_costs.py.
*Read*: the store's operations, in storage/azure/alerts.py. *Assumed*: how often drones have alerts.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.scaling import counts, prices
from benchmarks.scaling.counts import Documents, Work

LOOK = Work(episodes=3, activities=1)
EPISODE = Work(episodes=4, activities=2)
"""Raised and cleared."""
DELIVERY = Work(episodes=2, activities=1)
"""One notice to a receiver that did not answer at once, and does now."""

DOCUMENTS_OF_A_LOOK = Documents(queries=2)
DOCUMENTS_OF_AN_ALERT = Documents(reads=10, creates=4, replaces=5)
DOCUMENTS_OF_A_NOTICE = Documents(reads=2, replaces=1)
INDEXED = 6

IDLE_LOOKS_AN_HOUR = 60.0
BUSY_LOOKS_AN_HOUR = 3_600 / 1.8
ALERTS_A_FLYING_HOUR = 6.0
"""Two in a flight of 20 minutes, as the signals that cannot wait are counted."""
GIGABYTES = counts.CORE_MB / 1_024


@dataclass(frozen=True)
class Cost:
    """Of one thing: operations of the task hub, executions, request units, dollars."""

    operations: float
    executions: float
    request_units: float
    dollars: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.operations + other.operations,
            self.executions + other.executions,
            self.request_units + other.request_units,
            self.dollars + other.dollars,
        )

    def times(self, number: float) -> Cost:
        return Cost(
            self.operations * number, self.executions * number, self.request_units * number, self.dollars * number
        )


def cost(work: Work, documents: Documents) -> Cost:
    """Processor time on demand, and request units where they are used as they are paid for."""
    units = documents.request_units(INDEXED)
    dollars = (
        prices.QUEUE_OPERATIONS.of(work.queue_operations)
        + prices.TABLE_OPERATIONS.of(work.table_operations)
        + prices.EXECUTIONS.of(work.executions)
        + prices.ON_DEMAND.of(work.executions * counts.CPU_OF_AN_EXECUTION * GIGABYTES)
        + prices.AUTOSCALE_HOUR.of(units / 3_600)
    )
    return Cost(work.queue_operations + work.table_operations, work.executions, units, dollars)


def look() -> Cost:
    return cost(LOOK, DOCUMENTS_OF_A_LOOK)


def alert(receivers: int, away: int = 0) -> Cost:
    """Raised and cleared, each told to so many, of whom ``away`` answer at the second try only."""
    notes = DOCUMENTS_OF_A_NOTICE.request_units(INDEXED) * 2 * receivers
    told = Cost(0, 0, notes, prices.AUTOSCALE_HOUR.of(notes / 3_600))
    return cost(EPISODE, DOCUMENTS_OF_AN_ALERT) + told + cost(DELIVERY, Documents(reads=2)).times(2 * away)


def idle_hour() -> Cost:
    """Of the whole fleet, however large."""
    return look().times(IDLE_LOOKS_AN_HOUR)


def drone_hour(drones: int, receivers: int = 1) -> Cost:
    """Of one drone that flies: its alerts, and its share of the looks of a monitor that never comes to rest."""
    return alert(receivers).times(ALERTS_A_FLYING_HOUR) + look().times(BUSY_LOOKS_AN_HOUR / drones)


def table() -> str:
    rows = [
        ("one look of the monitor", look()),
        ("an alert, raised and cleared, no receiver", alert(0)),
        ("the same with one receiver", alert(1)),
        ("the same with one that is away at first", alert(1, away=1)),
        ("an idle fleet of any size, an hour", idle_hour()),
        ("a drone that flies, of 1,000, an hour", drone_hour(1_000)),
        ("a drone that flies, of 100,000, an hour", drone_hour(100_000)),
    ]
    lines = ["| | task hub operations | executions | RU | $ a thousand |", "|---|---:|---:|---:|---:|"]
    for what, one in rows:
        numbers = (f"{one.operations:,.0f}", f"{one.executions:,.0f}", f"{one.request_units:,.0f}")
        lines.append(f"| {what} | {' | '.join(numbers)} | {one.dollars * 1_000:,.2f} |")
    return "\n".join(lines)
