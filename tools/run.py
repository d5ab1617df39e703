"""``make run``: the local host with this app, and a demo fleet beside it, until Ctrl-C.

    python -m tools.run [--port 7071] [--event-hubs-port 5672] [--data DIR] [--drones 50] [--rate 1]

Both run as the child processes that anybody could start by hand (``python -m functions_host``, ``python -m
simulator``). Everything that was kept is in the data folder, so a second run goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 12.0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", default="7071", help="port of the host (0: a free one)")
    parser.add_argument("--event-hubs-port", default="5672", help="port of the local Event Hubs (0: a free one)")
    parser.add_argument("--data", default=".data", help="folder of everything that is kept")
    parser.add_argument("--drones", default="50", help="size of the demo fleet (0: none)")
    parser.add_argument("--rate", default="1", help="messages per second and drone")
    parser.add_argument("--seed", default="1", help="another seed, another flight")
    args = parser.parse_args(argv)

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())

    with tempfile.TemporaryDirectory() as scratch:
        ready = Path(scratch) / "ready.json"
        host = _spawn(
            "functions_host", "start", "--app", str(ROOT), "--port", args.port, "--data", args.data,
            "--event-hubs-port", args.event_hubs_port, "--ready-file", str(ready),
        )  # fmt: skip
        running = [host]
        try:
            facts = _wait_until_ready(host, ready, stopped)
            if facts is None:
                return 0 if stopped.is_set() else (host.poll() or 1)
            fleet = None
            if args.drones != "0":
                connection = facts["eventHubConnection"] or _setting("EventHubConnection", "")
                fleet = _spawn(
                    "simulator", "--drones", args.drones, "--rate", args.rate, "--seed", args.seed, "--seconds", "0",
                    "--connection", connection, "--hub", _setting("EventHubName", "telemetry"),
                    quiet=True,
                )  # fmt: skip
                running.append(fleet)
            _say(facts["url"], args.data, args.drones)
            return _watch(host, fleet, stopped)
        finally:
            _stop(running)


def _setting(name: str, default: str) -> str:
    return os.environ.get(name, default)


def _spawn(module: str, *arguments: str, quiet: bool = False) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches only this process, which stops the fleet before the host.
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        stdout=subprocess.DEVNULL if quiet else None,
        stderr=subprocess.DEVNULL if quiet else None,
    )


def _die_with_parent() -> None:
    """In the child: the kernel ends it when this program is killed in a way that leaves no time to stop anything."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _wait_until_ready(host: subprocess.Popen[bytes], ready: Path, stopped: threading.Event) -> dict[str, Any] | None:
    while host.poll() is None and not stopped.is_set():
        if ready.exists():
            facts: dict[str, Any] = json.loads(ready.read_text())
            return facts
        stopped.wait(0.05)
    return None


def _say(url: str, data: str, drones: str) -> None:
    fleet = "No fleet was asked for." if drones == "0" else f"A demo fleet of {drones} drones is flying (drone-0 ...)."
    print(
        f"\n  {fleet}\n"
        f"  Open     {url}/                      the fleet on a map\n"
        f"           {url}/api/drones            every drone's latest state\n"
        f"           {url}/api/drones/drone-0    one of them\n"
        f"  Kept in  {data}  (a second run goes on from there)\n"
        f"  Stop     with Ctrl-C\n",
        flush=True,
    )


def _watch(host: subprocess.Popen[bytes], fleet: subprocess.Popen[bytes] | None, stopped: threading.Event) -> int:
    while not stopped.wait(0.2):
        if host.poll() is not None:
            print(f"The host ended by itself with exit code {host.returncode}; its last lines say why.", flush=True)
            return host.returncode or 1
        if fleet is not None and fleet.poll() is not None:
            print(f"The demo fleet ended with exit code {fleet.returncode}; the host goes on.", flush=True)
            fleet = None
    print("\n  Stopping ...", flush=True)
    return 0


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """The fleet first, then the host; whoever does not end in time is killed."""
    for process in reversed(processes):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + STOP_SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            if process.poll() is None:
                process.kill()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
