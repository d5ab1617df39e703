"""The order in which many processes take the test files: whoever begins a long one last keeps all others waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

# Half a minute and more, longest first, as ``pytest --durations=0`` said. Who is missing here costs time and no more.
LONGEST = (
    "tests/faults/test_each_call_fails.py",
    "packages/functions_host/tests/test_workers.py",
    "tests/e2e/test_alerts.py",
    "tests/browser/test_on_the_host.py",
    "tests/browser/test_sources.py",
    "tests/e2e/test_kill.py",
    "tests/contract_store/test_azure_faults.py",
    "tests/faults/test_lost_store.py",
    "tests/browser/test_zones.py",
    "tests/browser/test_screens.py",
    "packages/functions_host/tests/test_hub_connections.py",
    "packages/functions_host/tests/test_lifecycle.py",
    "tests/browser/test_map.py",
    "tests/openapi/test_running.py",
    "tests/faults/test_backup_while_running.py",
    "packages/functions_host/tests/test_events_e2e.py",
    "tests/e2e/test_gateway.py",
    "tests/unit/telemetry_admin/test_running.py",
    "tests/unit/simulator/test_with_emulator.py",
)


def longest_first(items: Iterable[T], file_of: Callable[[T], str], waits: Callable[[T], bool]) -> list[T]:
    """The files of ``LONGEST``, then those with a test that waits, then those with most tests; each in one piece."""
    files: dict[str, list[T]] = {}
    for item in items:
        files.setdefault(file_of(item), []).append(item)
    rank = {file: number for number, file in enumerate(LONGEST)}

    def key(file: str) -> tuple[int, int, int]:
        return rank.get(file, len(rank)), -any(map(waits, files[file])), -len(files[file])

    return [item for file in sorted(files, key=key) for item in files[file]]
