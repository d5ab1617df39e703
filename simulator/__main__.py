"""``python -m simulator``: the fleet on the command line."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from gateway.arguments import add_target, number, setting
from gateway.target import HubRefused, HubUnavailable, InvalidTarget, Target
from simulator.faults import Faults, InvalidFaults
from simulator.fleet import Fleet
from simulator.formats import FORMATS
from simulator.hub import EventHub
from simulator.run import run
from simulator.sender import Sender

MOST_DRONES = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when all that was sent was acknowledged, 1 when the hub was not reached, 2 for wrong arguments."""
    parser = _parser()
    options = parser.parse_args(arguments)
    most = FORMATS[options.format].most_drones
    if most is not None and options.drones > most:
        parser.error(f"--format {options.format} tells {most} drones apart, not {options.drones}")
    try:
        namespace = setting("EventHubConnection__fullyQualifiedNamespace")
        target = Target.of(options.connection, namespace, options.hub)
    except InvalidTarget as error:
        parser.error(str(error))
    return asyncio.run(_main(options, target))


async def _main(options: argparse.Namespace, target: Target) -> int:
    fleet = Fleet(
        options.drones,
        options.rate,
        seed=options.seed,
        kind=options.format,
        key_frame_gap=options.key_frame_gap or FORMATS[options.format].key_frame_gap,
        faults=options.faults,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: loop.call_soon_threadsafe(stop.set))
    sender = Sender(EventHub(target, FORMATS[options.format]))
    try:
        summary, complete = await run(fleet, sender, options.seconds, stop)
    except (HubUnavailable, HubRefused) as error:
        print(f"simulator: {error}", file=sys.stderr)  # noqa: T201
        return 1
    if not complete:
        print(f"simulator: {sender.backlog} messages were not acknowledged", file=sys.stderr)  # noqa: T201
    print(json.dumps(summary), flush=True)  # noqa: T201
    return 0 if complete else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A fleet of drones near 47.476075, -122.192026 that sends telemetry to Event Hubs. "
        "Its last line on stdout is one JSON object that says what was sent.",
    )
    parser.add_argument("--drones", type=_whole(1, MOST_DRONES), default=50, metavar="N", help="default 50")
    parser.add_argument(
        "--rate", type=number(above=0.0), default=1.0, metavar="R", help="messages per second per drone, default 1"
    )
    parser.add_argument(
        "--seconds", type=number(least=0.0), default=0.0, metavar="S", help="how long; 0, the default: until stopped"
    )
    parser.add_argument("--seed", type=int, default=100, metavar="N", help="same seed, same flights; default 100")
    parser.add_argument("--format", choices=list(FORMATS), default="json", help="default json, which is native")
    parser.add_argument(
        "--key-frame-gap",
        type=_whole(1, 1_000_000_000),
        metavar="N",
        help="messages from one key frame to the next, default 10, 100 for protobuf",
    )
    parser.add_argument(
        "--faults",
        type=_faults,
        default=Faults(),
        metavar="NAME=CHANCE,...",
        help="duplicates, reorder, late, corrupt, no_fix, unknown_mode, each with its chance per message; default none",
    )
    add_target(parser)
    return parser


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}, not {value}")
        return value

    return parse


def _faults(text: str) -> Any:
    try:
        return Faults.parse(text)
    except InvalidFaults as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
