"""The command line: ``python -m functions_host start``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from functions_host import __version__
from functions_host.errors import StartError
from functions_host.host import Host, Options
from functions_host.lean_memory import keep_lean
from functions_host.logs import set_up_logging
from functions_host.signals import watch_signals

logger = logging.getLogger("functions_host")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the host until a signal.

    Exit code 0 after an orderly stop, 1 when it could not start, 2 for unknown options.
    """
    options = _parser().parse_args(arguments)
    keep_lean()
    set_up_logging(verbose=options.verbose, as_json=options.json_logs)
    # The app becomes the working directory: relative paths mean the caller's.
    for name in ("data", "ready_file"):
        if getattr(options, name) is not None:
            setattr(options, name, Path(os.path.abspath(getattr(options, name))))
    try:
        # asyncio's own loop: uvloop was measured, and costs this host (streams, threads, SQLite) as much or more.
        code = asyncio.run(_serve(options))
    except StartError as error:
        logger.error("%s", error)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of functions that never return must not keep the process: the grace they had is over.
    os._exit(code)


async def _serve(options: argparse.Namespace) -> int:
    host = Host(
        Options(
            app_dir=Path(options.app),
            host=options.host,
            port=options.port,
            data_dir=options.data,
            event_hubs=options.event_hubs,
            event_hubs_port=options.event_hubs_port,
            ready_file=options.ready_file,
            skip_unsupported=options.skip_unsupported,
            partitions=dict(options.partitions),
            event_hubs_retention_mib=options.event_hubs_retention_mib,
            allowed_hosts=tuple(options.allowed_host),
            management=options.management,
            verbose=options.verbose,
            json_logs=options.json_logs,
        )
    )
    set_up_logging(verbose=options.verbose, as_json=options.json_logs, levels=host.config.log_levels)
    stop = asyncio.Event()
    watch_signals(asyncio.get_running_loop(), stop, host.kill)
    stopping = asyncio.ensure_future(stop.wait())
    starting = asyncio.ensure_future(host.start())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
    try:
        await asyncio.wait({starting})
        if not starting.cancelled():
            starting.result()
        await stopping
        logger.info("stopping: running work has 10 s to finish")
        await host.stop()
    finally:
        host.kill()
    logger.info("stopped")
    return 0


class _Parser(argparse.ArgumentParser):
    """A wrong value is one line that names its option, and exit code 1, as for the settings in files."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("argument -"):
            self.exit(1, f"{self.prog}: {message}\n")
        super().error(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m functions_host", description=__doc__)
    parser.add_argument("--version", action="version", version=f"functions_host {__version__}")
    start = parser.add_subparsers(dest="command", required=True).add_parser("start", help="run a Functions app")
    start.add_argument("--app", default=".", metavar="DIR", help="the app's folder (default: here)")
    start.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    start.add_argument("--port", type=_port, metavar="N", help="HTTP port (default: 7071; 0: any free one)")
    start.add_argument("--data", metavar="DIR", help="everything on disk (default: .data in the app's folder)")
    start.add_argument("--event-hubs-port", type=_port, default=5672, metavar="N", help="default: %(default)s; 0: any")
    start.add_argument("--no-event-hubs", dest="event_hubs", action="store_false", help="no local Event Hubs")
    start.add_argument(
        "--partitions", type=_partitions, action="append", default=[], metavar="HUB=N",
        help="partitions of a local hub that is not there yet (default: 4)",
    )  # fmt: skip
    start.add_argument(
        "--event-hubs-retention-mib", type=_mib, metavar="N",
        help="log that each partition of a local hub keeps, in MiB (default: 1024)",
    )  # fmt: skip
    start.add_argument(
        "--skip-unsupported", action="store_true", help="leave out functions with triggers or bindings unknown here"
    )
    start.add_argument(
        "--allowed-host", action="append", default=[], metavar="NAME",
        help="a further name this host is called by (default: localhost and its address alone; *: any)",
    )  # fmt: skip
    start.add_argument(
        "--management", choices=("open", "closed"),
        help="whether /admin and the durable management API answer (default: open, or what host.json says)",
    )  # fmt: skip
    start.add_argument("--ready-file", metavar="PATH", help="written as JSON once everything listens")
    start.add_argument("--verbose", action="store_true", help="also the host's debug lines")
    start.add_argument("--json-logs", action="store_true", help="one JSON object per log line")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be a port number (0 to 65535), not {text!r}")
    return int(text)


def _mib(text: str) -> float:
    try:
        mib = float(text)
    except ValueError:
        mib = 0.0
    if not 1 <= mib <= 1_000_000:
        raise argparse.ArgumentTypeError(f"must be a number of MiB from 1 to 1000000, not {text!r}")
    return mib


def _partitions(text: str) -> tuple[str, int]:
    hub, _, count = text.rpartition("=")
    if not hub or not (count.isascii() and count.isdigit()) or not 1 <= int(count) <= 1024:
        raise argparse.ArgumentTypeError(f"must be HUB=N with N from 1 to 1024, not {text!r}")
    return hub, int(count)
