"""`python -m event_hubs_emulator`: the local Event Hubs as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

from .emulator import DEFAULT_PORT, EventHubsEmulator
from .hubs import HubConfigError, parse_hub
from .log.files import DataLockedError
from .log.options import LogOptions
from .ready_file import write_ready_file

_LOGGER = logging.getLogger("event_hubs_emulator")
_DEFAULT_HUB = ("telemetry", 4)
_HOUR_MS = 3_600_000
_MIB = 1024 * 1024
_DESCRIPTORS = 16_384
# Hours, or MiB: more than a century, and than a machine has.
_MOST = 1e9


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # One line; the usage is a --help away.
        self.exit(2, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("event_hubs_emulator", description="A local Event Hubs (AMQP 1.0) with a log on disk.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port to listen on, 0: any free one (default %(default)s)"
    )
    parser.add_argument(
        "--data", type=Path, default=Path(".data/event-hubs"), help="folder of the log (default %(default)s)"
    )
    parser.add_argument(
        "--hub",
        action="append",
        type=_hub,
        metavar="NAME:PARTITIONS",
        help="a hub to serve, as often as needed; hubs the data folder holds are served anyway "
        f"(default, for a new folder: {_DEFAULT_HUB[0]}:{_DEFAULT_HUB[1]})",
    )
    parser.add_argument("--ready-file", type=Path, help="written with pid, url and connection string once it listens")
    parser.add_argument("--fsync", action="store_true", help="acknowledge only what was forced onto the disk")
    parser.add_argument(
        "--retention-hours", type=_amount, default=168.0, help="events older than this are dropped, 0: never"
    )
    parser.add_argument(
        "--retention-mib", type=_amount, default=1024.0, help="log kept per partition, in MiB, 0: all of it"
    )
    parser.add_argument(
        "--segment-mib", type=_size, default=64.0, help="size of a segment file, in MiB (default %(default)s)"
    )
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when standard input ends")
    parser.add_argument("--verbose", action="store_true", help="log more")
    return parser


def _version() -> str:
    try:
        return version("event-hubs-emulator")
    except PackageNotFoundError:
        return "(not installed)"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no port; 0 to 65535 are allowed")
    return int(text)


def _amount(text: str) -> float:
    """A number of hours or MiB, of which 0 means without limit."""
    number = _number(text)
    if not 0 <= number <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not allowed; 0 (no limit) to {_MOST:.0f} are")
    return number


def _size(text: str) -> float:
    number = _number(text)
    if not 1 / 1024 <= number <= 4096:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not allowed; 0.001 to 4096 are")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number") from None


def _hub(text: str) -> tuple[str, int]:
    try:
        return parse_hub(text)
    except HubConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _emulator(arguments: argparse.Namespace) -> EventHubsEmulator:
    hubs: dict[str, int] = {}
    for name, partitions in arguments.hub or ():
        if name.lower() in (known.lower() for known in hubs):
            raise HubConfigError(f"--hub: {name!r} is named twice")
        hubs[name] = partitions
    if not hubs and not any(arguments.data.glob("*/hub.json")):
        hubs = dict([_DEFAULT_HUB])
    options = LogOptions(
        segment_bytes=int(arguments.segment_mib * _MIB),
        retention_ms=int(arguments.retention_hours * _HOUR_MS) or None,
        retention_bytes=int(arguments.retention_mib * _MIB) or None,
    )
    return EventHubsEmulator(
        arguments.data, hubs, arguments.host, arguments.port, fsync=arguments.fsync, log_options=options
    )


async def _serve(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    _on_signals(loop, stop.set)
    if arguments.exit_with_parent:
        _on_end_of_input(loop, stop.set)
    if arguments.ready_file:
        # One that an earlier run left would tell of a process and a port that are gone.
        arguments.ready_file.unlink(missing_ok=True)
    async with _emulator(arguments) as emulator:
        served = ", ".join(f"{name} ({partitions} partitions)" for name, partitions in emulator.hub_sizes.items())
        _LOGGER.info("listening on amqp://%s:%d, data in %s: %s", emulator.host, emulator.port, arguments.data, served)
        _LOGGER.info("connection string: %s", emulator.connection_string)
        if arguments.ready_file:
            write_ready_file(arguments.ready_file, emulator.host, emulator.port, emulator.connection_string)
        await stop.wait()
    _LOGGER.info("stopped")


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _on_end_of_input(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    # A pipe from the parent ends however the parent ends, by kill -9 too, and on every platform.
    def wait() -> None:
        try:
            # Not sys.stdin.buffer: its lock, held by a thread that waits, would break the end of the interpreter.
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        loop.call_soon_threadsafe(stop)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def _allow_descriptors() -> None:
    """Take what the system lets this user have: each partition and each connection needs one."""
    try:
        import resource
    except ImportError:  # Windows, which counts otherwise
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal; return the exit code: 0, or 1 if it could not start."""
    arguments = _parser().parse_args(argv)
    level = logging.DEBUG if arguments.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    _allow_descriptors()
    loop = _new_loop()
    try:
        loop.run_until_complete(_serve(arguments))
    except (OSError, HubConfigError, DataLockedError) as error:
        _LOGGER.error("cannot start: %s", error)
        return 1
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
