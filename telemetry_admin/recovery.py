"""Reading the hub again, for a store that was lost, emptied or taken from a backup."""

from __future__ import annotations

import argparse
from typing import Any

from telemetry_admin.api import Json, TelemetryApi
from telemetry_admin.options import Options, Rooms
from telemetry_admin.output import Output


def add_recovery(rooms: Rooms, options: Options) -> None:
    says = "read what the hub still holds and never came to the store, for one that was lost"
    parser = rooms.add_parser("recover", parents=[options.service], help=says, description=says)
    parser.add_argument("--all", action="store_true", help="everything from the hub's oldest event on")
    parser.set_defaults(command=recover)


def recover(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    """Has the app read what the hub still holds and never came; with ``--all`` everything from the oldest event on."""
    report = api.get("/api/recovery")
    wanted = [
        (part["partition"], stretch["first"], stretch["last"])
        for part in report["partitions"]
        for stretch in (_everything(part) if args.all else part["missing"])
    ]
    total = sum(last - first + 1 for _, first, last in wanted)
    events: dict[str, int] = {part["partition"]: 0 for part in report["partitions"]}
    batches: list[str] = []
    with out.progress("reading", total) as progress:
        for partition, first, last in wanted:
            following: int | None = first
            while following is not None:
                done = api.post("/api/recovery", {"partition": partition, "first": following, "last": last})
                events[partition] += done["received"]
                batches += done["batches"]
                following = done["next"]
                progress(sum(events.values()), f"partition {partition}")
    _report(out, events, batches)
    return 0


def _everything(part: Json) -> list[dict[str, Any]]:
    return [{"first": part["oldest"], "last": part["newest"]}] if part["newest"] >= part["oldest"] else []


def _report(out: Output, events: dict[str, int], batches: list[str]) -> None:
    if out.as_json:
        out.json({"events": sum(events.values()), "partitions": events, "batches": batches})
        return
    if not batches:
        out.line("nothing is missing: all that the hub holds has come")
        return
    out.table(("PARTITION", "EVENTS READ"), events.items(), empty="")
    out.line(f"{sum(events.values())} events read again, {len(batches)} batches; `stats` shows how they end")
