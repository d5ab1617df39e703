"""The registry: list, show, put, delete registrations."""

from __future__ import annotations

import argparse
from typing import Any

from telemetry_admin.api import TelemetryApi, part
from telemetry_admin.documents import read_json
from telemetry_admin.options import Options, Rooms, add_if_match, add_limit, if_match
from telemetry_admin.output import Output


def add_registry(rooms: Rooms, options: Options) -> None:
    verbs = rooms.add_parser("registry", help="list, show and change registrations").add_subparsers(
        required=True, metavar="VERB"
    )
    listing = verbs.add_parser("list", parents=[options.watch], help="by id")
    add_limit(listing)
    listing.set_defaults(command=list_registrations)
    show = verbs.add_parser("show", parents=[options.watch], help="one registration, and its entity tag")
    show.add_argument("id")
    show.set_defaults(command=show_registration)
    put = verbs.add_parser(
        "put", parents=[options.service], help="register a drone, or (with the entity tag) change its registration"
    )
    put.add_argument("id")
    put.add_argument("file", metavar="FILE", help="JSON object, as `show --json` gives it; - reads what is piped in")
    add_if_match(put, required=False)
    put.set_defaults(command=put_registration)
    delete = verbs.add_parser("delete", parents=[options.service], help="take a drone out of the registry")
    delete.add_argument("id")
    add_if_match(delete, required=True)
    delete.set_defaults(command=delete_registration)


def list_registrations(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    entries = list(api.items("/api/registry", args.limit))
    if out.as_json:
        out.json(entries)
        return 0
    out.table(
        ("ID", "NAME", "MODEL", "OWNER", "HOME"),
        ([entry["id"], *(entry.get(name) for name in ("name", "model", "owner", "home"))] for entry in entries),
        empty="nothing is registered",
    )
    return 0


def show_registration(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    answer = api.ask("GET", _path(args))
    if out.as_json:
        out.json(answer.body)
    else:
        out.record(answer.body)
    out.note(f"entity tag, for --if-match: {answer.headers['ETag']}")
    return 0


def put_registration(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    # Without a tag it must be new: somebody may have registered it a moment ago.
    headers = if_match(args) or {"If-None-Match": "*"}
    answer = api.ask("PUT", _path(args), body=read_json(args.file), headers=headers)
    if out.as_json:
        out.json(answer.body)
    else:
        out.record(answer.body)
    out.note(f"entity tag, for --if-match: {answer.headers['ETag']}")
    return 0


def delete_registration(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    api.ask("DELETE", _path(args), body={}, headers=if_match(args))
    result: dict[str, Any] = {"deleted": args.id}
    if out.as_json:
        out.json(result)
    else:
        out.line(f"{args.id} is registered no more")
    return 0


def _path(args: argparse.Namespace) -> str:
    return f"/api/registry/{part(args.id)}"
