"""Orchestrations: list, show with history, suspend, resume, terminate, restart, purge.

Over the app's own routes, which a role opens: the Durable status API asks for the key that opens everything.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from pipeline.durable import ENDED, InstanceStatus
from telemetry import times
from telemetry_admin.api import Json, Refused, TelemetryApi, part
from telemetry_admin.options import Options, Rooms, add_limit, add_range
from telemetry_admin.output import Output, each

_STATUSES = tuple(status.value for status in InstanceStatus)
_ENDED = tuple(status.value for status in InstanceStatus if status in ENDED)


def add_instances(rooms: Rooms, options: Options) -> None:
    verbs = rooms.add_parser("instances", help="list, show, stop, restart and purge orchestrations").add_subparsers(
        required=True, metavar="VERB"
    )
    listing = verbs.add_parser("list", parents=[options.watch], help="newest first; no entities")
    chosen = listing.add_argument_group("which")
    chosen.add_argument("--status", type=_statuses, help=f"{', '.join(_STATUSES)}, several with commas (all)")
    _add_which(chosen)
    listing.set_defaults(command=list_instances)

    show = verbs.add_parser("show", parents=[options.watch], help="everything about one")
    show.add_argument("id")
    show.add_argument("--history", action="store_true", help="each step")
    show.set_defaults(command=show_instance)

    for verb, says in (
        ("suspend", "it takes no further step until it is resumed"),
        ("resume", "it goes on"),
        ("terminate", "it ends where it is; activities under way are not stopped"),
    ):
        parser = verbs.add_parser(verb, parents=[options.service], help=says)
        parser.add_argument("id", nargs="+")
        parser.add_argument("--reason", help="kept in its history")
        parser.set_defaults(command=operate_instances, verb=verb)

    restart = verbs.add_parser("restart", parents=[options.service], help="run again with the same input, as a new one")
    restart.add_argument("id")
    restart.set_defaults(command=restart_instance)

    purge = verbs.add_parser("purge", parents=[options.service], help="delete what has ended, with its history")
    purge.add_argument("id", nargs="*")
    chosen = purge.add_argument_group("instead of ids")
    chosen.add_argument("--all", action="store_true", help="all that the filters let through")
    chosen.add_argument(
        "--status",
        type=_ended,
        default=",".join(_ENDED),
        help=f"{', '.join(_ENDED)}, several with commas (all of these)",
    )
    _add_which(chosen)
    purge.set_defaults(command=purge_instances, ids_or_all="purge")


def _add_which(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--name", help="of this orchestrator")
    group.add_argument("--prefix", help="whose ids begin so")
    add_range(group, "created at or after", "created before")
    add_limit(group)


def list_instances(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    instances = _found(api, args)
    if out.as_json:
        out.json(instances)
        return 0
    out.table(
        ("ID", "NAME", "STATUS", "CREATED", "UPDATED", "CUSTOM STATUS", "ERROR"),
        (
            (
                *(one["id"], one["name"], one["status"], one["createdAt"], one["updatedAt"]),
                *(one["customStatus"], one["error"]),
            )
            for one in instances
        ),
        empty="no such instances",
    )
    return 0


def _found(api: TelemetryApi, args: argparse.Namespace) -> list[Json]:
    query = {"status": args.status, "name": args.name, "idPrefix": args.prefix, "from": args.since, "to": args.until}
    return list(api.items("/api/instances", args.limit, **query))


def show_instance(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    instance = api.get(_path(args.id))
    if out.as_json:
        out.json(instance)
        return 0
    out.record({name: value for name, value in instance.items() if name != "history"})
    if args.history:
        out.table(
            ("AT", "EVENT", "NAME", "TOOK", "WHAT"),
            (_step(event) for event in instance["history"]),
            empty="no history yet",
        )
    return 0


def _step(event: Json) -> tuple[Any, ...]:
    took = None
    if event.get("ScheduledTime"):
        seconds = times.seconds_between(*(times.parse_rfc3339(event[at]) for at in ("ScheduledTime", "Timestamp")))
        took = f"{seconds:.3f} s"
    what = next((event[name] for name in ("Reason", "Result", "Input", "FireAt") if event.get(name)), None)
    name = event.get("FunctionName") or event.get("Name") or event.get("OrchestrationStatus")
    return event.get("Timestamp"), event["EventType"], name, took, what


def operate_instances(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    done = {"suspend": "suspended", "resume": "resumed", "terminate": "terminated"}[args.verb]
    body = {} if args.reason is None else {"reason": args.reason}
    return _each(out, args.id, lambda i: api.post(f"{_path(i)}/{args.verb}", body), done)


def restart_instance(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    started = api.post(f"{_path(args.id)}/restart", {})
    if out.as_json:
        out.json(started)
    else:
        out.line(f"started as {started['id']}")
    return 0


def purge_instances(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    ids = args.id or [one["id"] for one in _found(api, args)]
    return _each(out, ids, lambda i: api.ask("DELETE", _path(i), body={}), "purged")


def _each(out: Output, ids: list[str], work: Callable[[str], Any], done: str) -> int:
    well: list[str] = []
    refused: dict[str, str] = {}
    with out.progress(done, len(ids)) as progress:
        for number, (instance_id, result) in enumerate(each(ids, work), start=1):
            if isinstance(result, Refused) and result.status in (404, 409):
                refused[instance_id] = str(result)
            elif isinstance(result, Exception):
                raise result
            else:
                well.append(instance_id)
            progress(number, f"{len(refused)} refused" if refused else "")
    if out.as_json:
        out.json({done: well, "refused": refused})
    else:
        for instance_id, reason in refused.items():
            out.error(f"{instance_id}: {reason}")
        out.line(f"{len(well)} {done}, {len(refused)} refused")
    return 1 if refused else 0


def _path(instance_id: str) -> str:
    return f"/api/instances/{part(instance_id)}"


def _statuses(text: str) -> str:
    return _among(text, _STATUSES)


def _ended(text: str) -> str:
    return _among(text, _ENDED)


def _among(text: str, allowed: tuple[str, ...]) -> str:
    by_name = {name.lower(): name for name in allowed}
    words = text.split(",")
    for word in words:
        if word.strip().lower() not in by_name:
            raise argparse.ArgumentTypeError(f"{word!r}; allowed: {', '.join(allowed)}")
    return ",".join(by_name[word.strip().lower()] for word in words)
