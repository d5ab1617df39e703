"""Batches: list, show, replay."""

from __future__ import annotations

import argparse
import time
from typing import Any

from pipeline.records import UNFINISHED, BatchStatus
from telemetry_admin.api import Json, Refused, TelemetryApi, Unreachable, part
from telemetry_admin.options import Options, Rooms, add_limit, add_range
from telemetry_admin.output import Output, each

POLL_SECONDS, LONGEST_POLL_SECONDS = 0.05, 0.5
"""Most batches are through at the second look; those that take long are looked at less and less often."""
# Replays share the pipeline with live traffic: so many at a time leave it room, and keep the pipeline busy.
WAVE = 4
_ENDED = {status.value for status in BatchStatus if status not in UNFINISHED}


def add_batches(rooms: Rooms, options: Options) -> None:
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
    add_range(chosen, "received at or after", "received before")
    add_limit(chosen)

    verbs.add_parser("list", parents=[where, options.watch], help="newest first").set_defaults(command=list_batches)
    show = verbs.add_parser("show", parents=[options.watch], help="everything about one")
    show.add_argument("id")
    show.set_defaults(command=show_batch)
    replay = verbs.add_parser("replay", parents=[where, options.service], help="run again under today's rules")
    replay.add_argument("id", nargs="*")
    replay.add_argument("--all", action="store_true", help="all that the filters let through")
    replay.add_argument("--no-wait", action="store_true", help="start them and do not wait for how they end")
    replay.add_argument("--timeout", type=float, default=600, help="seconds to wait (600)")
    replay.set_defaults(command=replay_batches, ids_or_all="replay")


def list_batches(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    batches = list(api.items("/api/batches", args.limit, **_filter(args)))
    if out.as_json:
        out.json(batches)
        return 0
    out.table(
        ("ID", "STATUS", "STAGE", "ATTEMPTS", "EVENTS", "STORED", "REJECTED", "RECEIVED", "ERROR"),
        (
            (
                *(batch["id"], batch["status"], batch["stage"], batch["attempts"], batch["events"]),
                *(batch["stored"], batch["rejected"], batch["receivedAt"], _short(batch["error"])),
            )
            for batch in batches
        ),
        empty="no such batches",
    )
    return 0


def show_batch(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    batch = api.get(f"/api/batches/{part(args.id)}")
    if out.as_json:
        out.json(batch)
    else:
        out.record(batch)
    return 0


def replay_batches(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    """Starts them again, a wave at a time, and waits for how they end. 1 when one was not started or failed again."""
    # The ids are taken once: a batch that fails again must not be replayed again and again.
    ids = args.id or [batch["id"] for batch in api.items("/api/batches", args.limit, **_filter(args))]
    started: list[str] = []
    refused: dict[str, str] = {}
    ended: dict[str, str] = {}
    give_up_at = time.monotonic() + args.timeout
    size = len(ids) if args.no_wait else WAVE
    with out.progress("replaying", len(ids)) as progress:
        for start in range(0, len(ids), max(1, size)):
            wave: list[str] = []
            for batch_id, result in each(ids[start : start + size], lambda i: _start(api, i)):
                if isinstance(result, Exception):
                    raise result
                if result is None:
                    wave.append(batch_id)
                else:
                    refused[batch_id] = result
                progress(len(started) + len(refused), f"{len(refused)} refused" if refused else "")
            if not args.no_wait:
                _wait(api, wave, ended, give_up_at)
            started += wave
            progress(len(started) + len(refused), f"{len(refused)} refused" if refused else "")
    _report(out, started, refused, ended, waited=not args.no_wait)
    well = not refused and (args.no_wait or all(ended.get(i) == "completed" for i in started))
    return 0 if well else 1


def _start(api: TelemetryApi, batch_id: str) -> str | None:
    try:
        api.post(f"/api/batches/{part(batch_id)}/replay")
    except Refused as refused:
        if refused.status in (404, 409):
            return str(refused)
        raise
    return None


def _wait(api: TelemetryApi, started: list[str], ended: dict[str, str], give_up_at: float) -> None:
    """Adds how each ended; those still running when time is over are left out."""
    pause = POLL_SECONDS
    while True:
        for batch_id, batch in each([i for i in started if i not in ended], lambda i: _look(api, i)):
            if isinstance(batch, Exception):
                raise batch
            if batch is not None and batch["status"] in _ENDED:
                ended[batch_id] = batch["status"]
        if all(batch_id in ended for batch_id in started) or time.monotonic() >= give_up_at:
            return
        time.sleep(pause)
        pause = min(LONGEST_POLL_SECONDS, pause * 1.5)


def _look(api: TelemetryApi, batch_id: str) -> Json | None:
    try:
        batch: Json = api.get(f"/api/batches/{part(batch_id)}")
        return batch
    except Unreachable:
        return None  # a moment's trouble; the next look will tell


def _report(out: Output, started: list[str], refused: dict[str, str], ended: dict[str, str], *, waited: bool) -> None:
    by_end: dict[str, list[str]] = {"completed": [], "failed": [], "unfinished": []}
    for batch_id in started:
        by_end[ended.get(batch_id, "unfinished")].append(batch_id)
    if out.as_json:
        summary: dict[str, Any] = {"started": started, "refused": refused}
        out.json({**summary, **by_end} if waited else summary)
        return
    for batch_id, reason in refused.items():
        out.error(f"{batch_id}: {reason}")
    for batch_id in by_end["failed"]:
        out.error(f"{batch_id}: failed again; `batches show` says why")
    text = f"{len(started)} started, {len(refused)} refused"
    if waited:
        text += ": " + ", ".join(f"{len(ids)} {end}" for end, ids in by_end.items() if ids or end != "unfinished")
    out.line(text)


def _filter(args: argparse.Namespace) -> dict[str, Any]:
    status = None if args.status == "any" else args.status
    return {"status": status, "partition": args.partition, "from": args.since, "to": args.until}


def _short(text: str | None, most: int = 80) -> str | None:
    return text if text is None or len(text) <= most else text[: most - 1] + "…"
