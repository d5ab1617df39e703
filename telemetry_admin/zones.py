"""Zones: get, check, put, and their earlier versions."""

from __future__ import annotations

import argparse
from typing import Any

from telemetry_admin.api import Answer, Refused, TelemetryApi, part
from telemetry_admin.documents import read_json, write_json
from telemetry_admin.options import Options, Rooms, add_if_match, add_limit, if_match
from telemetry_admin.output import Output


def add_zones(rooms: Rooms, options: Options) -> None:
    verbs = rooms.add_parser("zones", help="get, check, put and restore the zones").add_subparsers(
        required=True, metavar="VERB"
    )
    get = verbs.add_parser("get", parents=[options.service], help="as GeoJSON; the entity tag goes to stderr")
    get.add_argument("--version", metavar="N", help="as they were in this version")
    get.add_argument("--out", metavar="FILE", help="to this file, not to stdout")
    get.set_defaults(command=get_zones)
    checking = verbs.add_parser("check", help="whether a file's zones could be put, without asking the service")
    checking.add_argument("file", metavar="FILE", help="GeoJSON; - reads what is piped in")
    checking.add_argument("--json", action="store_true", help="JSON instead of tables")
    checking.set_defaults(command=check_zones)
    put = verbs.add_parser("put", parents=[options.service], help="replace the zones in force")
    put.add_argument("file", metavar="FILE", help="GeoJSON; - reads what is piped in")
    add_if_match(put, required=True)
    put.set_defaults(command=put_zones)
    versions = verbs.add_parser("versions", parents=[options.watch], help="newest first")
    add_limit(versions)
    versions.set_defaults(command=list_versions)
    restore = verbs.add_parser("restore", parents=[options.service], help="put a version in force again, as a new one")
    restore.add_argument("version", metavar="N")
    add_if_match(restore, required=False)
    restore.set_defaults(command=restore_zones)


def get_zones(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    path = "/api/zones" if args.version is None else f"/api/zones/versions/{part(args.version)}"
    answer = api.ask("GET", path)
    write_json(out, args.out, answer.body)
    if "ETag" in answer.headers:
        out.note(f"entity tag, for --if-match: {answer.headers['ETag']}")
    return 0


def check_zones(out: Output, args: argparse.Namespace) -> int:
    """1 when a rule is broken."""
    from telemetry.zone_check import check  # geometry takes a quarter of a second to load

    return _broken(out, check(read_json(args.file)))


def put_zones(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    try:
        answer = api.ask("PUT", "/api/zones", body=read_json(args.file), headers=if_match(args))
    except Refused as refused:
        if refused.status != 400 or "errors" not in refused.problem:
            raise
        out.error(str(refused))
        return _broken(out, refused.problem["errors"])
    return _in_force(out, answer)


def list_versions(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    versions = list(api.items("/api/zones/versions", args.limit))
    if out.as_json:
        out.json(versions)
        return 0
    rows = ((version["version"], version["at"], version["by"]) for version in versions)
    out.table(("VERSION", "AT", "BY"), rows, empty="no versions: the file's zones have never been replaced")
    return 0


def restore_zones(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    path = f"/api/zones/versions/{part(args.version)}/restore"
    return _in_force(out, api.ask("POST", path, body={}, headers=if_match(args)))


def _in_force(out: Output, answer: Answer) -> int:
    if out.as_json:
        out.json(answer.body)
    else:
        out.line(f"{len(answer.body['features'])} zones in force, everywhere within ten seconds")
    out.note(f"entity tag, for --if-match: {answer.headers['ETag']}")
    return 0


def _broken(out: Output, errors: list[Any]) -> int:
    if out.as_json:
        out.json(errors)
    else:
        rows = ((error["feature"], error["id"], error["ring"], error["detail"]) for error in errors)
        out.table(("FEATURE", "ID", "RING", "WHAT IS WRONG"), rows, empty="nothing is wrong")
    return 1 if errors else 0
