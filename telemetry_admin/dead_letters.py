"""Dead letters: list, show with the decoded body, replay, discard."""

from __future__ import annotations

import argparse
import base64
import codecs
import contextlib
import zlib
from typing import Any

from telemetry.vocabulary import LETTER_STATUSES
from telemetry_admin.api import Json, Refused, TelemetryApi, part
from telemetry_admin.options import Options, Rooms, add_limit
from telemetry_admin.output import Output, each

SHOWN_BYTES = 4096


def add_dead_letters(rooms: Rooms, options: Options) -> None:
    verbs = rooms.add_parser("deadletters", help="list, show, replay and discard dead letters").add_subparsers(
        required=True, metavar="VERB"
    )
    where = argparse.ArgumentParser(add_help=False)
    chosen = where.add_argument_group("which")
    chosen.add_argument("--status", default="open", choices=(*LETTER_STATUSES, "any"), help="(open)")
    chosen.add_argument("--error-code", metavar="CODE", help="that break this rule")
    chosen.add_argument("--device", metavar="ID", help="of this device")
    chosen.add_argument("--batch", metavar="ID", help="of this batch")
    add_limit(chosen)

    listing = verbs.add_parser("list", parents=[where, options.watch], help="newest first")
    listing.set_defaults(command=list_dead_letters)
    show = verbs.add_parser("show", parents=[options.watch], help="everything about one, its body decoded")
    show.add_argument("id")
    show.set_defaults(command=show_dead_letter)
    replay = verbs.add_parser("replay", parents=[where, options.service], help="run through today's rules")
    replay.add_argument("id", nargs="*")
    replay.add_argument("--all", action="store_true", help="all that the filters let through")
    replay.set_defaults(command=replay_dead_letters, ids_or_all="replay")
    discard = verbs.add_parser("discard", parents=[options.service], help="keep the record, never run it")
    discard.add_argument("id", nargs="+")
    discard.add_argument("--reason", required=True, help="why, for whoever looks later")
    discard.set_defaults(command=discard_dead_letters)


def list_dead_letters(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    letters = list(api.items("/api/deadletters", args.limit, **_filter(args)))
    if out.as_json:
        out.json(letters)
        return 0
    out.table(
        ("ID", "STATUS", "DEVICE", "REASONS", "ATTEMPTS", "ENQUEUED"),
        (
            (
                *(letter["id"], letter["status"], letter["deviceId"]),
                *(", ".join(error["code"] for error in letter["errors"]), letter["attempts"], letter["enqueuedAt"]),
            )
            for letter in letters
        ),
        empty="no such dead letters",
    )
    return 0


def show_dead_letter(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    letter = api.get(f"/api/deadletters/{part(args.id)}")
    if out.as_json:
        out.json(letter)
        return 0
    out.record({name: value for name, value in letter.items() if name not in ("errors", "body")})
    out.table(
        ("CODE", "FIELD", "VALUE", "DETAIL"),
        ((error["code"], error["field"], error["value"], error["detail"]) for error in letter["errors"]),
        empty="no reasons",
    )
    out.record({"body": readable_body(letter)})
    return 0


def readable_body(letter: Json) -> str:
    """The event's bytes as text where they are text (unpacked if they were packed), else in hexadecimal."""
    body = base64.b64decode(letter["body"])
    if body[:2] == b"\x1f\x8b":
        with contextlib.suppress(zlib.error):  # shown as it came
            # No more than is shown: few bytes may unpack to very many.
            body = zlib.decompressobj(wbits=31).decompress(body, SHOWN_BYTES + 1)
    shown, cut = body[:SHOWN_BYTES], " …" if len(body) > SHOWN_BYTES else ""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(shown, final=not cut) + cut
    except UnicodeDecodeError:
        return shown.hex(" ") + cut


def replay_dead_letters(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    """Runs them through today's rules, one by one. 1 when one of them was not stored."""
    ids = args.id or [letter["id"] for letter in api.items("/api/deadletters", args.limit, **_filter(args))]
    replayed: list[str] = []
    rejected: dict[str, list[str]] = {}
    refused: dict[str, str] = {}
    with out.progress("replaying", len(ids)) as progress:
        for done, (letter_id, result) in enumerate(each(ids, lambda i: _replay(api, i)), start=1):
            if isinstance(result, list):
                rejected[letter_id] = result
            elif isinstance(result, str):
                refused[letter_id] = result
            elif isinstance(result, Exception):
                raise result
            else:
                replayed.append(letter_id)
            progress(done, f"{len(rejected)} still rejected" if rejected else "")
    if out.as_json:
        out.json({"replayed": replayed, "stillRejected": rejected, "refused": refused})
    else:
        for letter_id, reason in refused.items():
            out.error(f"{letter_id}: {reason}")
        if rejected:
            out.table(("STILL REJECTED", "REASONS"), ((i, ", ".join(codes)) for i, codes in rejected.items()), empty="")
        out.line(f"{len(replayed)} replayed, {len(rejected)} still rejected, {len(refused)} refused")
    return 0 if not rejected and not refused else 1


def _replay(api: TelemetryApi, letter_id: str) -> list[str] | str | None:
    """None when stored; the codes of the rules it still breaks; or why it was refused."""
    try:
        api.post(f"/api/deadletters/{part(letter_id)}/replay")
    except Refused as refused:
        if refused.status == 409 and "errors" in refused.problem:
            return [error["code"] for error in refused.problem["errors"]]
        if refused.status in (404, 409):
            return str(refused)
        raise
    return None


def discard_dead_letters(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    discarded: list[Json] = []
    refused: dict[str, str] = {}
    for letter_id in args.id:
        try:
            discarded.append(api.post(f"/api/deadletters/{part(letter_id)}/discard", {"reason": args.reason}))
        except Refused as error:
            if error.status not in (404, 409):
                raise
            refused[letter_id] = str(error)
    if out.as_json:
        out.json({"discarded": [letter["id"] for letter in discarded], "refused": refused})
    else:
        for letter_id, reason in refused.items():
            out.error(f"{letter_id}: {reason}")
        out.line(f"{len(discarded)} discarded, {len(refused)} refused")
    return 1 if refused else 0


def _filter(args: argparse.Namespace) -> dict[str, Any]:
    status = None if args.status == "any" else args.status
    return {"errorCode": args.error_code, "deviceId": args.device, "batchId": args.batch, "status": status}
