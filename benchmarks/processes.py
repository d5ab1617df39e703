"""What processes use, read from /proc: processor time and who their children are (Linux)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
HUB_MODULE = "event_hubs_emulator"


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far of these processes together; one that is gone counts nothing."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def consuming(pid: int) -> list[int]:
    """The host's own processes: all but the local hub, which works for whoever reads it."""
    return [one for one in family(pid) if HUB_MODULE not in command(one)]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


class Usage:
    """Cores that named processes use, looked at twice a second from now until ``stop``."""

    def __init__(self, pids: Mapping[str, Iterable[int]]) -> None:
        self._pids = {name: list(of_name) for name, of_name in pids.items()}
        self._seen: list[tuple[float, dict[str, float]]] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> dict[str, float]:
        """Cores by name in the last so many seconds in which all of them ran."""
        self._stopped.set()
        self._thread.join()
        end, last = self._seen[-1]
        begin, first = next(seen for seen in self._seen if seen[0] >= end - seconds)
        return {name: (last[name] - first[name]) / max(end - begin, 1e-9) for name in self._pids}

    def _look(self) -> None:
        while not self._stopped.is_set():
            now = time.monotonic()
            used = {name: cpu_seconds(pids) for name, pids in self._pids.items()}
            if self._seen and any(used[name] < before for name, before in self._seen[-1][1].items()):
                return  # one has ended
            self._seen.append((now, used))
            self._stopped.wait(0.5)


def by_name(pid: int) -> dict[str, list[int]]:
    """The processes of a host that was started as ``pid``: the host's own, its workers, its hub."""
    of_hub = {one for one in family(pid) if HUB_MODULE in command(one)}
    workers = [one for one in family(pid) if one not in of_hub and one != pid]
    return {"host": [pid], "workers": workers, "hub": [*of_hub]}
