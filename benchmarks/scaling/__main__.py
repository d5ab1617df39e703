"""What a fleet needs and costs in Azure, by calculation: without options the tables of docs/scaling.md."""

from __future__ import annotations

import argparse
import math
from typing import Any

from benchmarks.scaling import tables
from benchmarks.scaling.deployment import Fleet


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _above_nought(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def _not_below_nought(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError
    return number


# As argparse names them to whoever gives another value.
_whole.__name__, _above_nought.__name__ = "whole number above 0", "number above 0"
_not_below_nought.__name__ = "number of 0 or more"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--drones", type=_whole, nargs="+", help="fleets of other sizes")
    parser.add_argument("--rate", type=_above_nought, default=1.0, help="messages per second and drone")
    parser.add_argument("--size", type=_whole, default=300, help="bytes of an event")
    parser.add_argument("--window", type=_above_nought, help="maxWaitTime, seconds")
    parser.add_argument("--signal-window", type=_not_below_nought, default=10.0, help="SIGNAL_WINDOW_SECONDS")
    parser.add_argument("--partitions", type=_whole, help="of the hub")
    parser.add_argument("--messages-hours", type=_above_nought, help="RETENTION_MESSAGES_HOURS")
    parser.add_argument("--backend", choices=("storage", "scheduler"), default="storage")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scaling.md")
    args = parser.parse_args(argv)
    if args.write:
        tables.write()
        return
    if args.drones is None:
        for make in tables.TABLES.values():
            print(make(), end="\n\n")
        return
    changes: dict[str, Any] = {
        "window": args.window,
        "signal_window": args.signal_window,
        "partitions": args.partitions,
        "messages_hours": args.messages_hours,
        "backend": args.backend,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    columns = [tables.column(Fleet(drones, args.rate, args.size), **given) for drones in args.drones]
    print(tables.sizes(columns), tables.costs(columns), sep="\n\n")


if __name__ == "__main__":
    main()
