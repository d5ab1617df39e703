"""The command line.

Exit codes: 0 all done; 1 something was refused, was not found, failed again, or is broken; 2 the command line is wrong;
3 the service cannot be reached or cannot work now; 130 interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from telemetry_admin.alerts import add_alerts
from telemetry_admin.api import Refused, TelemetryApi, Unreachable
from telemetry_admin.backup import BackupError
from telemetry_admin.batches import add_batches
from telemetry_admin.completion import PROGRAM, add_completion
from telemetry_admin.dead_letters import add_dead_letters
from telemetry_admin.documents import BadDocument
from telemetry_admin.exporting import add_export
from telemetry_admin.flights import add_flights
from telemetry_admin.folders import add_folders
from telemetry_admin.instances import add_instances
from telemetry_admin.options import shared_options
from telemetry_admin.output import Output
from telemetry_admin.overview import add_overview
from telemetry_admin.parquet import NoPyarrow
from telemetry_admin.recovery import add_recovery
from telemetry_admin.registry import add_registry
from telemetry_admin.watch import watch
from telemetry_admin.zones import add_zones

Command = Callable[..., int]
"""Of (api, output, arguments); of (output, arguments) where the service is not asked."""
_EXIT_CODES = (
    "exit codes: 0 all done; 1 something was refused, was not found, failed again or is broken; 2 the command line is "
    "wrong; 3 the service cannot be reached or cannot work now; 130 interrupted"
)


def main(arguments: Sequence[str]) -> int:
    parser = build_parser()
    args = parser.parse_args(arguments)
    every = getattr(args, "watch", None)
    out = Output(as_json=args.json, as_lines=every is not None)
    if hasattr(args, "ids_or_all") and bool(args.id) == args.all:
        parser.error(f"name the ids to {args.ids_or_all}, or --all for all that the filters let through")
    try:
        command: Command = args.command
        if not hasattr(args, "url"):
            return command(out, args)
        api = TelemetryApi(args.url, _headers(parser, args), args.code)
        if every is not None:
            return watch(out, every, lambda: command(api, out, args))
        return command(api, out, args)
    except (BackupError, BadDocument, NoPyarrow, OSError, Refused) as error:
        out.error(str(error))
        return 1
    except Unreachable as error:
        out.error(str(error))
        return 3
    except KeyboardInterrupt:
        out.error("interrupted; what was started goes on")
        return 130


def build_parser() -> argparse.ArgumentParser:
    options = shared_options()
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Flights, alerts, batches, dead letters, zones, registry, instances and backups of the pipeline.",
        epilog=_EXIT_CODES,
    )
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        *(add_flights, add_alerts, add_batches, add_dead_letters, add_instances, add_zones, add_registry),
        *(add_export, add_overview, add_recovery),
    ):
        add(rooms, options)
    add_folders(rooms)
    add_completion(rooms, parser)
    return parser


def _headers(parser: argparse.ArgumentParser, args: argparse.Namespace) -> dict[str, str]:
    headers: dict[str, str] = {}
    for header in args.header:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            parser.error(f"--header {name!r}: allowed: NAME:VALUE")
        headers[name.strip()] = value.strip()
    token = args.token
    if args.scope:
        token = _token_of_this_machine(args.scope)
    if token:
        if urlsplit(args.url).scheme == "http" and urlsplit(args.url).hostname not in ("localhost", "127.0.0.1", "::1"):
            parser.error("a token is not sent over http; use an https address")
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _token_of_this_machine(scope: str) -> str:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import DefaultAzureCredential

    try:
        token: str = DefaultAzureCredential().get_token(scope).token
    except ClientAuthenticationError as error:
        raise Unreachable(f"no token for {scope}: sign in with `az login`, or use --token") from error
    return token
