"""``make soak``: an hour of flight with purge on; memory and file sizes must stay flat, and nothing may go missing.

    python -m tools.soak [--minutes 60] [--drones 200] [--rate 1]

Everything finished is purged after two minutes here, so that the store reaches its level early in the run; the local
hub's own retention bounds the event log. The exit code says whether the last third was flat against the second third.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fleet import Fleet, resident_bytes
from tools.local_host import LocalHost

MIB = 2**20
ALLOWED_GROWTH = 1.10
KEPT_HOURS = "0.034"  # two minutes
PURGED_EVERY_MINUTE = {
    "RETENTION_MESSAGES_HOURS": KEPT_HOURS,
    "RETENTION_BATCHES_HOURS": KEPT_HOURS,
    "RETENTION_DEADLETTERS_HOURS": KEPT_HOURS,
    "RETENTION_DURABLE_HOURS": KEPT_HOURS,
    "PURGE_SCHEDULE": "0 * * * * *",
    "PURGE_LIMIT": "100000",
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--drones", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1.0, help="messages per second per drone")
    args = parser.parse_args(argv)

    samples: list[tuple[float, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalHost(Path(folder) / "data", settings=PURGED_EVERY_MINUTE) as host,
    ):
        fleet = Fleet(host, drones=args.drones, rate=args.rate, seconds=60 * args.minutes)
        print("minute  resident MiB  store and durable MiB  event log MiB", flush=True)
        began = time.monotonic()
        while fleet.running():
            time.sleep(min(60.0, 60 * args.minutes / 12))
            assert host.process is not None
            resident = resident_bytes(host.process.pid) / MIB
            files, log = _sizes(host.data)
            samples.append((resident, files))
            minute = (time.monotonic() - began) / 60
            print(f"{minute:6.1f}  {resident:12.1f}  {files:21.1f}  {log:13.1f}", flush=True)
        sent = int(fleet.result()["sent"])
        stats = host.settled(messages=sent, seconds=120)
    complete = stats["messages"] == sent == stats["stored"] + stats["duplicates"] + stats["rejected"]
    print(f"{sent:,} messages sent, {stats['messages']:,} accounted for")
    flat = [_flat("resident memory", [s[0] for s in samples]), _flat("files", [s[1] for s in samples])]
    return 0 if complete and all(flat) else 1


def _flat(what: str, values: list[float]) -> bool:
    third = max(1, len(values) // 3)
    before, after = max(values[third : 2 * third]), max(values[2 * third :])
    flat = after <= before * ALLOWED_GROWTH
    verdict = "flat" if flat else "GROWING"
    print(f"{what}: at most {before:.1f} MiB in the second third, {after:.1f} in the last: {verdict}")
    return flat


def _sizes(data: Path) -> tuple[float, float]:
    """MiB of the databases, and of the local hub's event log, whose size its own retention bounds."""
    databases = log = 0
    for path in data.rglob("*"):
        try:
            size = path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
        if ".db" in path.name:
            databases += size
        else:
            log += size
    return databases / MIB, log / MIB


if __name__ == "__main__":
    sys.exit(main())
