"""``python -m benchmarks [NAME ...] [--quick]``: measures, prints the table, keeps it.

In results/latest.json for programs, in docs/measurements.md for people.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from benchmarks import page, report

MEASUREMENTS = {
    "activities": "the pipeline's activities on one batch of 1,000 messages against the floor",
    "reference": "the reference's one-after-another algorithm on the same stores",
    "azure": "the store step on Cosmos DB with 5 ms a call, against the reference's way on the same server",
    "engine": "orchestrations per second against durabletask's in-memory backend",
    "history": "bytes of durable history per batch, whatever is in it",
    "batch": "what a batch costs, counted: transactions, replays, calls, log records, JSON, bytes over the pipe",
    "tax": "processor time per 1,000 messages, the app against a bare consumer of the same events",
    "signals": "signals a message with a window of ten seconds, by the demo fleet in simulated time",
    "latency": "1,000 drones at 1 message/s: time from send to readable over HTTP",
    "alerts": "from the message that begins a condition to the webhook, beside 1,000 drones",
    "throughput": "the largest sustained rate, in steps",
    "replay": "replaying 1,000 batches of 100 messages beside live traffic",
    "hub": "the local Event Hubs against a server that does nothing",
    "formats": "other people's JSON formats against the native one, per message",
    "gateway": "the processor that the gateway needs for 50 vehicles' raw MAVLink",
    "paint": "the web page on loopback: first paint, the list of 1,000 drones, frames a second",
    "memory": "resident memory over 10 minutes at 1,000 messages/s",
    "hour": "resident memory over 60 minutes at 1,000 messages/s: the last 30",
    "bigstore": "start and answers with 1,000,000 finished instances and 10,000,000 messages on disk",
    "peers": "chains and signals against DBOS, Restate and durabletask in memory",
}
ONLY_BY_NAME = ("hour", "bigstore", "peers")
"""They need an hour, 30 GB of disk, or packages that are installed for them."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"any of: {', '.join(MEASUREMENTS)} (default: all but {', '.join(ONLY_BY_NAME)})",
    )
    parser.add_argument("--quick", action="store_true", help="shorter runs: a look, not a measurement")
    parser.add_argument("--list", action="store_true", help="say what is measured and stop")
    args = parser.parse_args(argv)
    if args.list:
        for name, what in MEASUREMENTS.items():
            print(f"{name:12} {what}")
        return 0
    unknown = [name for name in args.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)}")

    rows: list[report.Row] = []
    for name in args.names or [name for name in MEASUREMENTS if name not in ONLY_BY_NAME]:
        print(f"-- {name}: {MEASUREMENTS[name]}", flush=True)
        measured = importlib.import_module(f"benchmarks.{name}").measure(quick=args.quick)
        print(report.table(measured), flush=True)
        rows += measured
        path = report.write(measured)
        if not args.quick:
            page.write(name, MEASUREMENTS[name], measured)
    print(f"\n{report.machine()}\n\n{report.table(rows)}\n\nwritten to {path.relative_to(path.parent.parent.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
