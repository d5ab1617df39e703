"""``make run``: the local host with this app, and a demo fleet beside it, until Ctrl-C.

    python -m tools.run [--port 7071] [--event-hubs-port 5672] [--data DIR] [--drones 50] [--rate 1] [--verbose]

Both run as the child processes that anybody could start by hand (``python -m functions_host``, ``python -m
simulator``). Everything that was kept is in the data folder, so a second run goes on where the first one stopped.
What the host writes goes to ``run.log`` in that folder; warnings, and one line every ten seconds, are shown.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from tools.demo import demo_settings
from tools.demo_retention import DemoRetention, chosen_retention, demo_retention, give_back
from tools.run_status import HostLines, Status, read_stats

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 12.0
STATUS_SECONDS = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 after Ctrl-C, 1 when something could not start or ended by itself, 2 for wrong arguments."""
    parser = _parser()
    args = parser.parse_args(argv)
    for option, port in (("--port", args.port), ("--event-hubs-port", args.event_hubs_port)):
        if not _is_free(port):
            return _cannot(
                f"port {port} is in use; {option} moves it: make run RUN_ARGS='{option} {port + 1}' (0: any free one)"
            )
    if args.port and args.port == args.event_hubs_port:
        return _cannot(f"--port and --event-hubs-port are both {args.port}; they need two ports")
    try:
        args.data.mkdir(parents=True, exist_ok=True)
        log = _own_log(args.data / "run.log")
    except BlockingIOError:
        return _cannot(f"--data {args.data} is in use by another make run; name another folder")
    except OSError as error:
        return _cannot(f"--data {args.data} cannot be used: {error.strerror}")

    given = give_back(args.data)
    if given:
        print(f"  {given / 1e6:,.0f} MB that earlier runs no longer use are given back to the disk", flush=True)
    chosen = chosen_retention()
    retention = None if chosen or not args.drones else demo_retention(args.drones, args.rate)

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())

    with log, tempfile.TemporaryDirectory() as scratch:
        ready = Path(scratch) / "ready.json"
        host = _spawn(
            "functions_host", "start", "--app", str(ROOT), "--port", str(args.port), "--data", str(args.data),
            "--event-hubs-port", str(args.event_hubs_port), "--ready-file", str(ready),
            *(["--verbose"] if args.verbose else ["--json-logs"]),
            *(["--event-hubs-retention-mib", f"{retention.hub_mib:g}"] if retention else []),
            piped=not args.verbose,
            settings={**demo_settings(), **(retention.settings() if retention else {})} if args.drones else None,
        )  # fmt: skip
        lines = None if args.verbose else HostLines(host, log)
        running = [host]
        try:
            facts = _wait_until_ready(host, ready, stopped)
            if facts is None:
                return 0 if stopped.is_set() else (host.wait() or 1)
            fleet = None
            if args.drones:
                connection = facts["eventHubConnection"] or _setting("EventHubConnection", "")
                fleet = _spawn(
                    "simulator", "--drones", str(args.drones), "--rate", str(args.rate), "--seed", str(args.seed),
                    "--seconds", "0", "--connection", connection, "--hub", _setting("EventHubName", "telemetry"),
                    quiet=True,
                )  # fmt: skip
                running.append(fleet)
            _say(facts["url"], args, _kept(retention, chosen))
            return _watch(host, fleet, stopped, facts["url"])
        finally:
            _stop(running)
            if lines is not None:
                lines.end()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=_port, default=7071, help="port of the host (0: a free one)")
    parser.add_argument(
        "--event-hubs-port", type=_port, default=5672, help="port of the local Event Hubs (0: a free one)"
    )
    parser.add_argument("--data", type=Path, default=Path(".data"), help="folder of everything that is kept")
    parser.add_argument("--drones", type=_drones, default=50, help="size of the demo fleet (0: none)")
    parser.add_argument("--rate", type=_rate, default=1.0, help="messages per second per drone")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another flight")
    parser.add_argument("--verbose", action="store_true", help="all that the host writes, instead of a status line")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed: a whole number from 0 to 65535")
    return int(text)


def _drones(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of drones; allowed: a whole number from 0 to 1000000")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate; allowed: a number above 0, at most 1000")
    return rate


def _is_free(port: int) -> bool:
    """Whether a listener may have the port (0 always). The host could not know which option of ours moves it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _own_log(path: Path) -> BinaryIO:
    """The log, begun anew, and held as long as this program runs. ``BlockingIOError`` when another one holds it."""
    log = path.open("ab")
    try:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        log.truncate(0)
    except OSError:
        log.close()
        raise
    return log


def _cannot(problem: str) -> int:
    print(f"make run: {problem}", file=sys.stderr)
    return 1


def _setting(name: str, default: str) -> str:
    return os.environ.get(name, default)


def _spawn(
    module: str,
    *arguments: str,
    quiet: bool = False,
    piped: bool = False,
    settings: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches only this process, which stops the fleet before the host.
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **(settings or {})},
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        stdout=subprocess.DEVNULL if quiet or piped else None,
        stderr=subprocess.PIPE if piped else subprocess.DEVNULL if quiet else None,
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


def _kept(retention: DemoRetention | None, chosen: Sequence[str]) -> str:
    if retention is not None:
        return retention.told()
    return f"as {', '.join(chosen)} say" if chosen else "messages 30 days, batches 7 days (RETENTION_… settings)"


def _say(url: str, args: argparse.Namespace, kept: str) -> None:
    fleet = (
        f"A demo fleet of {args.drones} drones is flying (drone-0 ...)." if args.drones else "No fleet was asked for."
    )
    log = "shown below" if args.verbose else f"in {args.data / 'run.log'} (--verbose shows it)"
    print(
        f"\n  {fleet}\n"
        f"  Kept     in {args.data}; a second run goes on from there\n"
        f"           {kept}\n"
        f"  Log      {log}\n"
        f"  Ask      {url}/api/drones/drone-0   or any line of the README\n"
        f"  Stop     with Ctrl-C\n"
        f"  Open     {url}/\n",
        flush=True,
    )


def _watch(
    host: subprocess.Popen[bytes], fleet: subprocess.Popen[bytes] | None, stopped: threading.Event, url: str
) -> int:
    status = Status(url)
    due = time.monotonic() + STATUS_SECONDS
    while not stopped.wait(0.2):
        if host.poll() is not None:
            print(f"The host ended by itself with exit code {host.returncode}; its last lines say why.", flush=True)
            return host.returncode or 1
        if fleet is not None and fleet.poll() is not None:
            print(f"The demo fleet ended with exit code {fleet.returncode}; the host goes on.", flush=True)
            fleet = None
        if time.monotonic() >= due:
            print(status.line(read_stats(url), time.time()), flush=True)
            due = time.monotonic() + STATUS_SECONDS
    print(f"\n  Stopping {url}/ ...", flush=True)
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
