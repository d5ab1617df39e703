"""``python -m gateway``: real drones on the command line."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.arguments import (
    add_target,
    device_id,
    named_system,
    number,
    setting,
    size,
    utc_offset,
    with_western_offsets,
)
from gateway.dji import Broker, BrokerFeed, InvalidBroker
from gateway.feed import Feed, StoppedFeed
from gateway.files import Options, UnreadableFile
from gateway.files.feed import FilesFeed, Recording
from gateway.forward import Forwarder
from gateway.hub import HubLane
from gateway.needs import NotInstalled
from gateway.pace import Pace
from gateway.progress import Progress
from gateway.run import run, stop_on_signals
from gateway.spool import Spool, SpoolBusy, SpoolUnusable
from gateway.target import InvalidTarget, Target


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when nothing is left behind (live: what waits in the spool is sent by the next run), 1 when it could
    not go on or a file's messages were not all acknowledged, 2 for wrong arguments."""
    parser = _parser()
    options = parser.parse_args(with_western_offsets(sys.argv[1:] if arguments is None else arguments))
    try:
        namespace = setting("EventHubConnection__fullyQualifiedNamespace")
        target = Target.of(options.connection, namespace, options.hub)
        spool = Spool(options.spool, options.spool_limit)
    except InvalidTarget as error:
        parser.error(str(error))
    except (SpoolBusy, SpoolUnusable) as error:
        return _failed(error)
    return asyncio.run(_main(options, target, spool))


async def _main(options: argparse.Namespace, target: Target, spool: Spool) -> int:
    stop = asyncio.Event()
    stop_on_signals(stop)
    forwarder = Forwarder(spool, lambda: HubLane(target))
    try:
        with Progress() as progress:
            feed = options.make(options, forwarder, progress)
            if feed.finite:
                progress.start()
            summary = await run(feed, forwarder, stop=stop, line=progress.line)
    except (StoppedFeed, UnreadableFile, NotInstalled) as error:
        return _failed(error)
    if summary["waiting"]:
        _say(f"{summary['waiting']:,} messages wait in {options.spool}: the next run sends them")
    print(json.dumps(summary), flush=True)  # noqa: T201
    return 1 if feed.finite and summary["waiting"] else 0


def _mavlink(options: argparse.Namespace, forwarder: Forwarder, progress: Progress) -> Feed:
    try:
        from gateway.mavlink import feed, links
    except ImportError as error:
        raise NotInstalled.of(error, "`gateway mavlink`") from None
    try:
        sources = [links.Source.parse(text) for text in options.sources]
    except links.InvalidSource as error:
        raise StoppedFeed(str(error)) from None
    names = dict(options.device_id)
    recordings = [Path(source.place) for source in sources if source.kind == "tlog"]
    if recordings and len(recordings) < len(sources):
        raise StoppedFeed("a .tlog file and a live source cannot be one run: start two gateways, each with its --spool")
    if recordings:
        recording = feed.Recording(forwarder, options.interval, names)
        pace = Pace(options.speed, as_if_now=options.as_if_now)
        return FilesFeed(recordings, forwarder, Options(), pace, lambda: recording, progress.done)
    try:
        return feed.LiveFeed(
            sources,
            forwarder,
            options.spool,
            options.interval,
            names,
            request_rates=options.request_rates,
            tell=lambda text: progress.line(f"gateway: {text}"),
        )
    except OSError as error:
        raise StoppedFeed(str(error)) from error


def _dji(options: argparse.Namespace, forwarder: Forwarder, progress: Progress) -> Feed:
    try:
        broker = Broker.parse(options.broker)
    except InvalidBroker as error:
        raise StoppedFeed(str(error)) from None
    # One session for each spool: two gateways with one name would push each other off the broker.
    digest = hashlib.blake2b(str(options.spool.resolve()).encode(), digest_size=6).hexdigest()
    return BrokerFeed(broker, forwarder, options.client_id or f"drone-gateway-{digest}")


def _files(options: argparse.Namespace, forwarder: Forwarder, progress: Progress) -> Feed:
    speed = options.speed if options.speed is not None else 1.0 if options.as_if_now else 0.0
    pace = Pace(speed, as_if_now=options.as_if_now)
    said = Options(options.device_id, options.utc_offset, options.day_first)

    def recording() -> Recording:
        try:
            from gateway.mavlink.feed import Recording as Tlog
            from gateway.mavlink.fold import ANY_SYSTEM
        except ImportError as error:
            raise StoppedFeed(str(NotInstalled.of(error, "a .tlog file"))) from None
        names = {} if options.device_id is None else {ANY_SYSTEM: options.device_id}
        return Tlog(forwarder, options.interval, names)

    return FilesFeed(options.paths, forwarder, said, pace, recording, progress.done)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway",
        description="Real drones' telemetry to Event Hubs. What is heard is kept on disk until the hub has it. No "
        "flight command is ever sent. The last line on stdout is one JSON object that says what was sent.",
    )
    ways = parser.add_subparsers(dest="way", required=True, metavar="mavlink|dji|file")
    mavlink = ways.add_parser("mavlink", help="MAVLink by UDP, TCP or serial line, or a .tlog file")
    mavlink.add_argument("sources", nargs="+", metavar="SOURCE", help="udpin:HOST:PORT, tcp:…, serial:DEVICE[:BAUD], …")
    mavlink.add_argument(
        "--device-id",
        action="append",
        default=[],
        type=named_system,
        metavar="SYSID=ID",
        help="a name for a system id, or for one at an address: 10.0.0.7/1=falcon-1; default mav-SYSID",
    )
    mavlink.add_argument(
        "--request-rates",
        nargs="?",
        const=2.0,
        type=number(above=0.0),
        metavar="HZ",
        help="ask each vehicle to send its position so often (2) and its state once a second; asks nothing else, ever",
    )
    mavlink.set_defaults(make=_mavlink)
    dji = ways.add_parser("dji", help="DJI Cloud API, from an operator's MQTT broker")
    dji.add_argument("--broker", required=True, metavar="URL", help="mqtt://[USER:PASSWORD@]HOST:PORT, mqtts, ws, wss")
    dji.add_argument(
        "--client-id", metavar="ID", help="the session's name at the broker; default made of the spool's path"
    )
    dji.set_defaults(make=_dji)
    files = ways.add_parser("file", help="DJI flight record CSV, Airdata CSV, GPX, JSON lines, .tlog")
    files.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    files.add_argument(
        "--device-id", type=device_id, metavar="ID", help="default the file's serial number, or its name"
    )
    files.add_argument("--utc-offset", type=utc_offset, metavar="+HH:MM", help="of a log that tells local time")
    files.add_argument("--day-first", action="store_true", help="the log writes 31/12/2025")
    files.set_defaults(make=_files)
    for way in (mavlink, files):
        way.add_argument(
            "--interval", type=number(above=0.0), default=1.0, metavar="S", help="seconds a MAVLink message, default 1"
        )
        way.add_argument(
            "--speed",
            type=number(least=0.0),
            default=1.0 if way is mavlink else None,
            metavar="X",
            help="of a file: 1 as it was flown, 0 as fast as it goes",
        )
        way.add_argument("--as-if-now", action="store_true", help="of a file: as if it were flown now")
    for way in (mavlink, dji, files):
        _common(way)
    return parser


def _common(way: argparse.ArgumentParser) -> None:
    add_target(way)
    way.add_argument(
        "--spool",
        type=Path,
        default=Path(".data/gateway"),
        metavar="DIR",
        help="what waits for the hub, default .data/gateway; each gateway on a machine needs its own",
    )
    way.add_argument(
        "--spool-limit",
        type=size,
        default=size("1G"),
        metavar="SIZE",
        help="so much may wait (500M, default 1G); the oldest is kept, what comes then is dropped and counted",
    )


def _say(text: str) -> None:
    print(f"gateway: {text}", file=sys.stderr)  # noqa: T201


def _failed(error: Exception) -> int:
    _say(str(error))
    return 1


if __name__ == "__main__":
    sys.exit(main())
