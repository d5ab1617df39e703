"""The command line.

Exit codes: 0 all done; 1 something was refused, was not found, or failed again; 2 the command line is wrong; 3 the
service cannot be reached or cannot work now; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from pipeline.records import BatchStatus
from telemetry.vocabulary import LETTER_STATUSES
from telemetry_admin.api import Refused, TelemetryApi, Unreachable
from telemetry_admin.backup import BackupError, backup, restore
from telemetry_admin.batches import list_batches, replay_batches, show_batch
from telemetry_admin.dead_letters import (
    discard_dead_letters,
    list_dead_letters,
    replay_dead_letters,
    show_dead_letter,
)
from telemetry_admin.output import Output
from telemetry_admin.overview import show_health, show_stats
from telemetry_admin.recovery import recover
from telemetry_admin.verify import verify

Command = Callable[..., int]
"""Of (api, output, arguments); of (output, arguments) where the service is not asked."""
DEFAULT_URL = "http://localhost:7071"


def main(arguments: Sequence[str]) -> int:
    parser = build_parser()
    args = parser.parse_args(arguments)
    out = Output(as_json=args.json)
    if args.command in (replay_batches, replay_dead_letters) and bool(args.id) == args.all:
        parser.error("name the ids to replay, or --all for all that the filters let through")
    try:
        command: Command = args.command
        if not hasattr(args, "url"):
            return command(out, args)
        headers = _headers(parser, args)
        return command(TelemetryApi(args.url, headers, args.code), out, args)
    except (BackupError, OSError) as error:
        out.error(str(error))
        return 1
    except Refused as error:
        out.error(str(error))
        return 1
    except Unreachable as error:
        out.error(str(error))
        return 3
    except KeyboardInterrupt:
        out.error("interrupted; what was started goes on")
        return 130


def build_parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("service")
    group.add_argument(
        "--url",
        type=_url,
        default=os.environ.get("TELEMETRY_URL", DEFAULT_URL),
        help=f"where the app answers (TELEMETRY_URL; else {DEFAULT_URL})",
    )
    group.add_argument("--token", help="bearer token (TELEMETRY_TOKEN)", default=os.environ.get("TELEMETRY_TOKEN"))
    group.add_argument(
        "--scope", help="get a token for this scope with the Azure identity at hand, as api://ID/.default"
    )
    group.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="send this header too")
    group.add_argument(
        "--code", help="function key, where the host asks for one", default=os.environ.get("TELEMETRY_CODE")
    )
    group.add_argument("--json", action="store_true", help="JSON instead of tables")

    parser = argparse.ArgumentParser(
        prog="telemetry_admin",
        description="Failed batches, dead letters, statistics and backups of the telemetry pipeline.",
    )
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_batches(rooms, common)
    _add_dead_letters(rooms, common)
    says = "read what the hub still holds and never came to the store, for one that was lost"
    again = rooms.add_parser("recover", parents=[common], help=says, description=says)
    again.add_argument("--all", action="store_true", help="everything from the hub's oldest event on")
    again.set_defaults(command=recover)
    _add_data(rooms)
    for name, command, says in (
        ("stats", show_stats, "totals since the store was made"),
        ("health", show_health, "whether every part can be reached"),
    ):
        rooms.add_parser(name, parents=[common], help=says, description=says).set_defaults(command=command)
    return parser


Rooms: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_batches(rooms: Rooms, common: argparse.ArgumentParser) -> None:
    verbs = rooms.add_parser("batches", help="list, show and replay batches").add_subparsers(
        required=True, metavar="VERB"
    )
    where = argparse.ArgumentParser(add_help=False)
    chosen = where.add_argument_group("which")
    chosen.add_argument(
        "--status",
        default=BatchStatus.FAILED.value,
        help=f"{', '.join(status.value for status in BatchStatus)}, several with commas, or any (failed)",
    )
    chosen.add_argument("--partition")
    chosen.add_argument("--from", dest="since", metavar="TIME", help="received at or after, as 2026-01-31T12:00:00Z")
    chosen.add_argument("--to", dest="until", metavar="TIME", help="received before")
    chosen.add_argument("--limit", type=_count, default=1000, help="at most so many (1000)")

    verbs.add_parser("list", parents=[where, common], help="newest first").set_defaults(command=list_batches)
    show = verbs.add_parser("show", parents=[common], help="everything about one")
    show.add_argument("id")
    show.set_defaults(command=show_batch)
    replay = verbs.add_parser("replay", parents=[where, common], help="run again under today's rules")
    replay.add_argument("id", nargs="*")
    replay.add_argument("--all", action="store_true", help="all that the filters let through")
    replay.add_argument("--no-wait", action="store_true", help="start them and do not wait for how they end")
    replay.add_argument("--timeout", type=float, default=600, help="seconds to wait (600)")
    replay.set_defaults(command=replay_batches)


def _add_dead_letters(rooms: Rooms, common: argparse.ArgumentParser) -> None:
    verbs = rooms.add_parser("deadletters", help="list, show, replay and discard dead letters").add_subparsers(
        required=True, metavar="VERB"
    )
    where = argparse.ArgumentParser(add_help=False)
    chosen = where.add_argument_group("which")
    chosen.add_argument("--status", default="open", choices=(*LETTER_STATUSES, "any"), help="(open)")
    chosen.add_argument("--error-code", metavar="CODE", help="that break this rule")
    chosen.add_argument("--device", metavar="ID", help="of this device")
    chosen.add_argument("--batch", metavar="ID", help="of this batch")
    chosen.add_argument("--limit", type=_count, default=1000, help="at most so many (1000)")

    verbs.add_parser("list", parents=[where, common], help="newest first").set_defaults(command=list_dead_letters)
    show = verbs.add_parser("show", parents=[common], help="everything about one, its body decoded")
    show.add_argument("id")
    show.set_defaults(command=show_dead_letter)
    replay = verbs.add_parser("replay", parents=[where, common], help="run through today's rules")
    replay.add_argument("id", nargs="*")
    replay.add_argument("--all", action="store_true", help="all that the filters let through")
    replay.set_defaults(command=replay_dead_letters)
    discard = verbs.add_parser("discard", parents=[common], help="keep the record, never run it")
    discard.add_argument("id", nargs="+")
    discard.add_argument("--reason", required=True, help="why, for whoever looks later")
    discard.set_defaults(command=discard_dead_letters)


def _add_data(rooms: Rooms) -> None:
    """Of a local host's folder, without asking the host."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", default=".data", metavar="DIR", help="the host's data folder (.data)")
    common.add_argument("--json", action="store_true", help="JSON instead of tables")
    app = argparse.ArgumentParser(add_help=False)
    app.add_argument("--app-data", metavar="DIR", help="where DATA_DIR points to, if not to app in that folder")

    says = "copy store, engine, checkpoints and hub, while the host runs or not"
    verb = rooms.add_parser("backup", parents=[common, app], help=says, description=says)
    verb.add_argument("to", metavar="TO", help="a folder that is not there yet")
    verb.set_defaults(command=backup)
    says = "put a backup where a host finds it"
    verb = rooms.add_parser("restore", parents=[common], help=says, description=says)
    verb.add_argument("source", metavar="FROM")
    verb.add_argument("--replace", action="store_true", help="move aside what is there")
    verb.set_defaults(command=restore)
    says = "count what must hold in a data folder or a backup"
    rooms.add_parser("verify", parents=[common, app], help=says, description=says).set_defaults(command=verify)


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


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; allowed: http://… or https://…")
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: a whole number from 1 to 1000000")
    return int(text)
