"""Alerts: list, show, acknowledge, have a notice sent again."""

from __future__ import annotations

import argparse
from typing import Any

from telemetry.vocabulary import ALERT_CODES
from telemetry_admin.api import Json, Refused, TelemetryApi, part
from telemetry_admin.options import Options, Rooms, add_limit, add_range
from telemetry_admin.output import Output

STATUSES = ("active", "cleared")


def add_alerts(rooms: Rooms, options: Options) -> None:
    verbs = rooms.add_parser("alerts", help="list, show and acknowledge alerts").add_subparsers(
        required=True, metavar="VERB"
    )
    listing = verbs.add_parser("list", parents=[options.watch], help="newest first")
    chosen = listing.add_argument_group("which")
    chosen.add_argument("--status", default="active", choices=(*STATUSES, "any"), help="(active)")
    known = chosen.add_mutually_exclusive_group()
    known.add_argument("--acknowledged", action="store_const", const="true", help="that somebody has acknowledged")
    known.add_argument(
        "--unacknowledged", dest="acknowledged", action="store_const", const="false", help="that nobody has"
    )
    chosen.add_argument("--kind", choices=ALERT_CODES, metavar="CODE", help=f"any of {', '.join(ALERT_CODES)}")
    chosen.add_argument("--device", metavar="ID", help="of this drone")
    add_range(chosen, "raised at or after", "raised before")
    add_limit(chosen)
    listing.set_defaults(command=list_alerts)
    show = verbs.add_parser("show", parents=[options.watch], help="everything about one")
    show.add_argument("id")
    show.set_defaults(command=show_alert)
    acknowledge = verbs.add_parser("acknowledge", parents=[options.service], help="somebody looks after it")
    acknowledge.add_argument("id", nargs="+")
    acknowledge.add_argument("--note", help="for whoever looks later")
    acknowledge.set_defaults(command=acknowledge_alerts)
    notify = verbs.add_parser("notify", parents=[options.service], help="send the notices that were given up again")
    notify.add_argument("id", nargs="+")
    notify.set_defaults(command=notify_alerts)


def list_alerts(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    query: dict[str, Any] = {
        "status": None if args.status == "any" else args.status,
        "acknowledged": args.acknowledged,
        "code": args.kind,
        "deviceId": args.device,
        "from": args.since,
        "to": args.until,
    }
    alerts = list(api.items("/api/alerts", args.limit, **query))
    if out.as_json:
        out.json(alerts)
        return 0
    out.table(
        ("ID", "DEVICE", "CODE", "STATUS", "RAISED", "CLEARED", "ACKNOWLEDGED", "VALUE", "UNDELIVERED"),
        (
            (
                *(alert["id"], alert["deviceId"], alert["code"], alert["status"]),
                *(alert["raisedAt"], alert["clearedAt"], _acknowledged(alert), alert["value"]),
                ", ".join(alert.get("undelivered") or ()),
            )
            for alert in alerts
        ),
        empty="no such alerts",
    )
    return 0


def show_alert(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    alert = api.get(f"/api/alerts/{part(args.id)}")
    if out.as_json:
        out.json(alert)
    else:
        out.record(alert)
    return 0


def acknowledge_alerts(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    body = {} if args.note is None else {"note": args.note}
    return _each(api, out, args.id, "acknowledge", body, "acknowledged")


def notify_alerts(api: TelemetryApi, out: Output, args: argparse.Namespace) -> int:
    return _each(api, out, args.id, "notify", {}, "sent again")


def _each(api: TelemetryApi, out: Output, ids: list[str], verb: str, body: Json, done: str) -> int:
    alerts: list[Json] = []
    refused: dict[str, str] = {}
    for alert_id in ids:
        try:
            alerts.append(api.post(f"/api/alerts/{part(alert_id)}/{verb}", body))
        except Refused as error:
            if error.status not in (404, 409):
                raise
            refused[alert_id] = str(error)
    if out.as_json:
        out.json({"alerts": alerts, "refused": refused})
    else:
        for alert_id, reason in refused.items():
            out.error(f"{alert_id}: {reason}")
        out.line(f"{len(alerts)} {done}, {len(refused)} refused")
    return 1 if refused else 0


def _acknowledged(alert: Json) -> str | None:
    by = alert["acknowledgedBy"]
    return alert["acknowledgedAt"] if by is None else f"{alert['acknowledgedAt']} by {by}"
