"""Options that several commands share, and what their values may be."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from telemetry.times import parse_rfc3339

DEFAULT_URL = "http://localhost:7071"
WATCH_SECONDS = 2.0
Rooms: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


@dataclass(frozen=True)
class Options:
    """Parents of commands' parsers."""

    service: argparse.ArgumentParser
    """Where the service is and who asks, and ``--json``."""
    watch: argparse.ArgumentParser
    """``--watch`` besides: of commands that show how something stands."""


def shared_options() -> Options:
    service = argparse.ArgumentParser(add_help=False)
    group = service.add_argument_group("service")
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

    watch = argparse.ArgumentParser(add_help=False, parents=[service])
    watch.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=WATCH_SECONDS,
        metavar="SECONDS",
        help=f"look again every so many seconds ({WATCH_SECONDS:g}) until Ctrl-C; with --json a line a look",
    )
    return Options(service, watch)


def add_range(group: argparse._ArgumentGroup | argparse.ArgumentParser, since: str, until: str) -> None:
    """``--from`` and ``--to``."""
    group.add_argument("--from", dest="since", type=moment, metavar="TIME", help=f"{since}, as 2026-01-31T12:00:00Z")
    group.add_argument("--to", dest="until", type=moment, metavar="TIME", help=until)


def add_limit(group: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    group.add_argument("--limit", type=_count, default=1000, help="at most so many (1000)")


def add_if_match(parser: argparse.ArgumentParser, *, required: bool) -> None:
    which = parser.add_mutually_exclusive_group(required=required)
    which.add_argument("--if-match", metavar="TAG", help="the entity tag that was read: nobody's change is lost")
    which.add_argument("--force", action="store_true", help="whatever it is now")


def if_match(args: argparse.Namespace) -> dict[str, str]:
    """The header that ``add_if_match``'s options mean."""
    if args.force:
        return {"If-Match": "*"}
    if args.if_match is None:
        return {}
    # A shell takes the quotes away.
    tag = args.if_match.strip()
    return {"If-Match": tag if tag.startswith(('"', "W/")) or tag == "*" else f'"{tag}"'}


def moment(text: str) -> str:
    """As it was given, if it is a moment."""
    try:
        parse_rfc3339(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; allowed: http://… or https://…")
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: a whole number from 1 to 1000000")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: seconds from 0.1 to 86400")
    return seconds
