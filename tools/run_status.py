"""What ``make run`` shows while it runs: one line every ten seconds, and the host's warnings."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from datetime import datetime
from typing import Any, BinaryIO, TextIO

ASK_SECONDS = 5.0
LAST_LINES = 20
MAX_LOG_BYTES = 20_000_000
_SHOWN = {"WARN", "ERROR", "FATAL"}


def read_stats(url: str) -> dict[str, Any] | str:
    """``GET /api/stats``, or in words why it cannot be had."""
    try:
        with urllib.request.urlopen(f"{url}/api/stats", timeout=ASK_SECONDS) as answer:
            stats: dict[str, Any] = json.load(answer)
            return stats
    except urllib.error.HTTPError as error:
        return "the figures need a sign-in" if error.code in (401, 403) else f"no figures (HTTP {error.code})"
    except (OSError, ValueError):
        return "the host does not answer"


class Status:
    """The line, from one reading of the totals to the next."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._before: tuple[float, int] | None = None

    def line(self, stats: dict[str, Any] | str, now: float) -> str:
        """``12:00:10  50 messages/s  50 drones  lag 0.2 s  0 failed  http://…``; ``now`` in seconds since the epoch."""
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        if isinstance(stats, str):
            self._before = None
            return f"  {clock}  {stats}  {self._url}/"
        messages = int(stats["messages"])
        rate = (
            ""
            if self._before is None
            else f"{(messages - self._before[1]) / (now - self._before[0]):,.0f} messages/s  "
        )
        self._before = (now, messages)
        failed = int(stats["batches"]["failed"])
        batches = "failed batch" if failed == 1 else "failed batches"
        return (
            f"  {clock}  {rate}{int(stats['drones']):,} drones  lag {_lag(stats, now):.1f} s  "
            f"{failed:,} {batches}  {self._url}/"
        )


def _lag(stats: dict[str, Any], now: float) -> float:
    """How long the oldest batch that is under way has been (seconds)."""
    oldest = stats.get("oldestUnfinishedAt")
    if oldest is None:
        return 0.0
    return max(0.0, now - datetime.fromisoformat(str(oldest).replace("Z", "+00:00")).timestamp())


class HostLines:
    """Reads the host's JSON log lines in a thread: all go to the log, what matters to the screen.

    The log is started anew when it has become large. At the end of a host that failed, its last lines that are
    no log lines (a crash before the log was set up) are shown too.
    """

    def __init__(self, host: subprocess.Popen[bytes], log: BinaryIO, screen: TextIO | None = None) -> None:
        self._host = host
        self._log = log
        self._screen = screen or sys.stderr
        self._other: deque[str] = deque(maxlen=LAST_LINES)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """After the host has ended."""
        self._thread.join(timeout=5)
        if self._host.returncode not in (0, None, -2):
            for line in self._other:
                print(line, file=self._screen)

    def _read(self) -> None:
        assert self._host.stderr is not None
        for raw in self._host.stderr:
            text = raw.decode("utf-8", "replace").rstrip("\n")
            try:
                entry = json.loads(text)
                shown = f"{entry['time'][11:19]} {entry['level']:<5} {entry['message']}"
            except (ValueError, KeyError, TypeError):
                self._other.append(text)
                self._keep(text)
                continue
            where = f" [{entry['function']} {entry['invocationId'][:8]}]" if "function" in entry else ""
            exception = f"\n{entry['exception']}" if "exception" in entry else ""
            self._keep(f"{entry['time']} {entry['level']:<5}{where} {entry['message']}{exception}")
            if entry["level"] in _SHOWN:
                print(f"  {shown}", file=self._screen, flush=True)

    def _keep(self, line: str) -> None:
        if self._log.tell() > MAX_LOG_BYTES:
            self._log.seek(0)
            self._log.truncate()
        self._log.write(line.encode() + b"\n")
        self._log.flush()
