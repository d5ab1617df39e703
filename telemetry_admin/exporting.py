"""``export``: stored messages or flights of any range as one Parquet file, read page by page."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from telemetry_admin.api import PAGE, Json, TelemetryApi, Unreachable, part
from telemetry_admin.columns import FLIGHTS, HISTORY
from telemetry_admin.documents import whole_file
from telemetry_admin.options import Options, Rooms, add_range
from telemetry_admin.output import Output
from telemetry_admin.parquet import ParquetFile

MOST_DRONES = 10_000_000
TRIES = 6
FIRST_WAIT_SECONDS = 0.5


def add_export(rooms: Rooms, options: Options) -> None:
    kinds = rooms.add_parser("export", help="messages or flights of any range as a Parquet file").add_subparsers(
        required=True, metavar="WHAT"
    )
    history = kinds.add_parser("history", parents=[options.service], help="stored messages, by drone and time")
    history.add_argument("id", nargs="*", help="of these drones")
    history.add_argument("--all", action="store_true", help="of all drones")
    add_range(history, "message time at or after", "message time before")
    history.add_argument("--every", metavar="SECONDS", help="at most one message of a drone in so many seconds")
    history.add_argument("--out", metavar="FILE", required=True)
    history.set_defaults(command=export_history, ids_or_all="export")
    flights = kinds.add_parser("flights", parents=[options.service], help="flights, newest first")
    flights.add_argument("--device", metavar="ID", help="of this drone")
    add_range(flights, "that were under way at or after", "that were under way before")
    flights.add_argument("--out", metavar="FILE", required=True)
    flights.set_defaults(command=export_flights)


def export_history(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    drones: list[str] = sorted(set(args.id))
    if args.all:
        drones = sorted(drone["id"] for drone in api.items("/api/drones", MOST_DRONES, fields="id"))
    query = {"from": args.since, "to": args.until, "every": args.every, "order": "asc"}
    with (
        whole_file(args.out) as path,
        ParquetFile(path, HISTORY) as file,
        out.progress("exporting", len(drones)) as progress,
    ):
        for done, drone in enumerate(drones):
            for page in _pages(api, f"/api/drones/{part(drone)}/history", query):
                file.add(page)
                progress(done, f"drones, {file.rows:,} messages")
            progress(done + 1, f"drones, {file.rows:,} messages")
    return _report(out, args.out, file.rows, "messages")


def export_flights(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    query = {"deviceId": args.device, "from": args.since, "to": args.until}
    with whole_file(args.out) as path, ParquetFile(path, FLIGHTS) as file:
        for page in _pages(api, "/api/flights", query):
            file.add(page)
    return _report(out, args.out, file.rows, "flights")


def _pages(api: TelemetryApi, path: str, query: dict[str, Any]) -> Iterator[list[Json]]:
    """Each page that holds anything. A service that is away for a moment does not cost what has come already."""
    continuation = None
    while True:
        page = _page(api, path, {**query, "limit": PAGE, "continuation": continuation})
        if page["items"]:
            yield page["items"]
        continuation = page["continuation"]
        if continuation is None:
            return


def _page(api: TelemetryApi, path: str, query: dict[str, Any]) -> Json:
    for attempt in range(TRIES):
        try:
            page: Json = api.get(path, **query)
            return page
        except Unreachable:
            if attempt == TRIES - 1:
                raise
            time.sleep(FIRST_WAIT_SECONDS * 2**attempt)
    raise AssertionError


def _report(out: Output, file: str, rows: int, what: str) -> int:
    if out.as_json:
        out.json({"file": file, "rows": rows})
    else:
        out.line(f"{rows:,} {what} in {file}")
    return 0
