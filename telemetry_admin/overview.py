"""Statistics and health."""

from __future__ import annotations

import argparse

from telemetry_admin.api import TelemetryApi
from telemetry_admin.options import Options, Rooms
from telemetry_admin.output import Output


def add_overview(rooms: Rooms, options: Options) -> None:
    for name, command, says in (
        ("stats", show_stats, "totals since the store was made"),
        ("health", show_health, "whether every part can be reached"),
    ):
        rooms.add_parser(name, parents=[options.watch], help=says, description=says).set_defaults(command=command)


def show_stats(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    stats = api.get("/api/stats")
    if out.as_json:
        out.json(stats)
        return 0
    counted = ("messages", "stored", "duplicates", "rejected")
    out.record({name: stats[name] for name in ("drones", "events", *counted)})
    out.table(("BATCHES", ""), stats["batches"].items(), empty="")
    out.table(("DEAD LETTERS", ""), stats["deadLetters"].items(), empty="")
    out.table(("REJECTED BY", ""), stats["deadLetterCodes"].items(), empty="nothing was rejected")
    if stats["oldestUnfinishedAt"]:
        out.line(f"the batch that stands longest last moved at {stats['oldestUnfinishedAt']}")
    return 0


def show_health(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    health = api.health()
    if out.as_json:
        out.json(health)
    else:
        parts = health["parts"].items()
        out.table(
            ("PART", "STATUS", ""), ((name, part["status"], part.get("detail", "")) for name, part in parts), empty=""
        )
    return {"healthy": 0, "degraded": 1}.get(health["status"], 3)
