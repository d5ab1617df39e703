"""Flights: list, show, a flight's track as a file."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from telemetry.export import FORMATS
from telemetry_admin.api import Json, TelemetryApi, part
from telemetry_admin.documents import whole_file
from telemetry_admin.options import Options, Rooms, add_limit, add_range
from telemetry_admin.output import Output


def add_flights(rooms: Rooms, options: Options) -> None:
    verbs = rooms.add_parser("flights", help="list and show flights, and get their tracks").add_subparsers(
        required=True, metavar="VERB"
    )
    listing = verbs.add_parser("list", parents=[options.watch], help="newest first")
    chosen = listing.add_argument_group("which")
    chosen.add_argument("--device", metavar="ID", help="of this drone")
    add_range(chosen, "that were under way at or after", "that were under way before")
    add_limit(chosen)
    listing.set_defaults(command=list_flights)
    show = verbs.add_parser("show", parents=[options.watch], help="everything about one")
    show.add_argument("id")
    show.set_defaults(command=show_flight)
    track = verbs.add_parser("track", parents=[options.service], help="its messages as one file")
    track.add_argument("id")
    track.add_argument("--format", choices=tuple(FORMATS), default="geojson", help="(geojson)")
    track.add_argument("--every", metavar="SECONDS", help="at most one message in so many seconds")
    track.add_argument("--out", metavar="FILE", help="to this file, not to stdout")
    track.set_defaults(command=get_track)


def list_flights(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    query: dict[str, Any] = {"deviceId": args.device, "from": args.since, "to": args.until}
    flights = list(api.items("/api/flights", args.limit, **query))
    if out.as_json:
        out.json(flights)
        return 0
    out.table(
        ("ID", "DEVICE", "STATUS", "STARTED", "DURATION", "DISTANCE", "MAX HEIGHT", "BATTERY", "ALERTS"),
        (
            (
                *(flight["id"], flight["deviceId"], flight["status"], flight["startedAt"]),
                *(_duration(flight["durationSeconds"]), f"{flight['distanceMetres']:,.0f} m"),
                *(_metres(flight["maxHeight"]), _battery(flight), ", ".join(flight["alerts"])),
            )
            for flight in flights
        ),
        empty="no such flights",
    )
    return 0


def show_flight(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    flight = api.get(f"/api/flights/{part(args.id)}")
    if out.as_json:
        out.json(flight)
    else:
        out.record(flight)
    return 0


def get_track(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    pieces = api.download(f"/api/flights/{part(args.id)}/track", format=args.format, every=args.every)
    if args.out is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return 0
    with whole_file(args.out) as path, path.open("wb") as file:
        file.writelines(pieces)
    return 0


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _metres(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f} m"


def _battery(flight: Json) -> str:
    first, last = ("–" if flight[name] is None else f"{flight[name]:.0%}" for name in ("batteryStart", "batteryEnd"))
    return f"{first} → {last}"
