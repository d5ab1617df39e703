"""The local Event Hubs against a server that takes and gives events without keeping anything, with the same client in
the same run. The measurement itself belongs to the package; see ``packages/event_hubs_emulator/benchmarks``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.report import Row

SCRIPT = Path(__file__).resolve().parent.parent / "packages" / "event_hubs_emulator" / "benchmarks" / "hub.py"


def measure(*, quick: bool) -> list[Row]:
    events = "15000" if quick else "60000"
    run = subprocess.run([sys.executable, str(SCRIPT), "--events", events], capture_output=True, text=True, check=True)
    print(run.stdout, flush=True)
    measured = json.loads(run.stdout)
    rows = []
    for direction in ("send", "receive"):
        figures = measured[direction]
        rows += [
            Row("hub", f"{direction}, 300-byte events in batches, this hub", figures["hub_events_per_s"], "events/s"),
            Row("hub", f"{direction}, the server that does nothing", figures["null_events_per_s"], "events/s"),
            Row("hub", f"{direction}: this hub against it", figures["ratio"], "x", 0.8),
        ]
    return rows
