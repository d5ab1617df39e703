"""The tables of docs/scaling.md, and how they get there: each stands between ``<!-- table: NAME -->`` and
``<!-- end -->``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scaling import alerts, counts
from benchmarks.scaling.deployment import ROOT, Deployment, Fleet, for_fleet
from benchmarks.scaling.model import Needs, needs
from benchmarks.scaling.prices import PRICES

PAGE = ROOT / "docs" / "scaling.md"
DRONES = (1_000, 10_000, 100_000)
WINDOWS = (0.0, 10.0)
_TABLE = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)


@dataclass(frozen=True)
class Column:
    """A fleet on so many deployments of one kind, each with an equal share of it."""

    fleet: Fleet
    deployment: Deployment
    side_by_side: int
    needs: Needs

    @property
    def total(self) -> float:
        return self.needs.total * self.side_by_side


def column(fleet: Fleet, **changes: object) -> Column:
    deployment, number = for_fleet(fleet, **changes)
    share = Fleet(fleet.drones // number, fleet.rate, fleet.size)
    return Column(fleet, deployment, number, needs(share, deployment))


def columns() -> list[Column]:
    return [column(Fleet(drones), signal_window=window) for drones in DRONES for window in WINDOWS]


def sizes(of: Sequence[Column]) -> str:
    """Of one deployment where several stand side by side."""
    return _table(
        of,
        [
            ("deployments", lambda c: f"{c.side_by_side}"),
            ("batch window; signal window, s", lambda c: f"{c.deployment.window:g}; {c.deployment.signal_window:g}"),
            ("messages/s", lambda c: f"{c.needs.messages:,.0f}"),
            ("throughput units; partitions", lambda c: f"{c.needs.throughput_units}; {c.deployment.partitions}"),
            ("batches/s of messages", lambda c: f"{c.needs.batches:,.0f} of {c.needs.messages_per_batch:,.0f}"),
            ("signals/s", lambda c: f"{c.needs.signals:,.0f}"),
            ("signals per message", lambda c: f"{c.needs.signals / c.needs.messages:.3f}"),
            ("blob operations per batch", lambda c: f"{c.needs.blob_operations:g}"),
            ("cores; durable instances", lambda c: f"{c.needs.cores:,.1f}; {c.needs.durable_instances}"),
            (
                "queue; table operations/s",
                lambda c: f"{c.needs.queue_operations:,.0f}; {c.needs.table_operations:,.0f}",
            ),
            ("RU/s on messages; on all else", lambda c: f"{c.needs.message_units:,.0f}; {c.needs.ledger_units:,.0f}"),
            ("messages kept, days", lambda c: f"{c.deployment.messages_hours / 24:g}"),
            ("messages stored, GB", lambda c: f"{c.needs.stored_gb:,.0f}"),
            ("physical partitions for them", lambda c: f"{c.needs.physical_partitions}"),
            ("actions per message", lambda c: f"{c.needs.actions / c.needs.messages:.2f}"),
            ("capacity units of a scheduler", lambda c: f"{c.needs.capacity_units}"),
        ],
    )


def costs(of: Sequence[Column]) -> str:
    """Dollars a month, of all deployments together."""

    def service(name: str) -> Callable[[Column], str]:
        return lambda c: f"{c.needs.cost[name] * c.side_by_side:,.0f}"

    def scheduler(c: Column) -> str:
        units = c.needs.capacity_units * c.side_by_side
        return f"{units} × its price" if c.deployment.backend == "scheduler" else "0"

    rows = [(name, service(name)) for name in of[0].needs.cost]
    together = "**together**"
    if any(c.deployment.backend == "scheduler" for c in of):
        # Its price is not known: it is in no sum, and the table says so.
        rows.append(("Durable Task Scheduler: capacity units", scheduler))
        together = "**together**, without the scheduler"
    return _table(
        of,
        [
            *rows,
            (together, lambda c: f"**{c.total:,.0f}**"),
            ("a drone", lambda c: f"{c.total / c.fleet.drones:.2f}"),
            ("a capacity unit may cost", lambda c: f"{c.needs.hub_cost / c.needs.capacity_units:,.0f}"),
        ],
    )


def price_list() -> str:
    rows = [
        f"| {price.what} | {f'{price.usd:f}'.rstrip('0')} per {price.per:,.0f} | {price.source} |" for price in PRICES
    ]
    return "\n".join(["| what | US dollars | read in |", "|---|---:|---|", *rows])


def counted() -> str:
    ledger, blobs, batch = counts.LEDGER_OF_A_BATCH, counts.BLOBS_OF_A_BATCH, counts.BATCH
    bodies, held = len(counts.BODIES_OF_A_BATCH), counts.HELD_OF_A_BATCH
    rows = [
        ("documents of the ledger: read, created, replaced, patched, queried",
         f"{ledger.reads:g}, {ledger.creates:g}, {ledger.replaces:g}, {ledger.patches:g}, {ledger.queries:g}"),
        ("items that hold its bytes: written, deleted", f"{bodies}, {bodies}"),
        ("blobs: written, listed, read", f"{blobs.writes:g}, {blobs.lists:g}, {blobs.reads:g}"),
        ("with a signal window besides: read, replaced", f"{held.reads:g}, {held.replaces:g}"),
        ("episodes of the orchestrator; activities", f"{batch.episodes}; {batch.activities}"),
        ("queue and table operations of the task hub", f"{batch.queue_operations:g} and {batch.table_operations:g}"),
        ("actions of the Durable Task Scheduler", f"{batch.actions}"),
    ]  # fmt: skip
    return "\n".join(["| one batch asks for | |", "|---|---:|", *(f"| {what} | {number} |" for what, number in rows)])


TABLES: dict[str, Callable[[], str]] = {
    "sizes": lambda: sizes(columns()),
    "costs": lambda: costs(columns()),
    "counted": counted,
    "prices": price_list,
    "alerts": alerts.table,
}


def filled(page: str) -> str:
    """The page with its tables made anew."""
    return _TABLE.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[4]}", page)


def write(path: Path = PAGE) -> None:
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


def _table(of: Sequence[Column], rows: Iterable[tuple[str, Callable[[Column], str]]]) -> str:
    lines = [
        "| | " + " | ".join(f"{c.fleet.drones:,} drones" for c in of) + " |",
        "|---|" + "---:|" * len(of),
    ]
    lines += [f"| {name} | " + " | ".join(cell(c) for c in of) + " |" for name, cell in rows]
    return "\n".join(lines)
