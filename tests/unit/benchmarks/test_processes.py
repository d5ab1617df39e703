"""What processes use: one that ends meanwhile takes nothing back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.processes import Usage, by_name

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def test_a_process_that_ends_counts_until_then() -> None:
    child = subprocess.Popen([sys.executable, "-c", "sum(range(3_000_000)); input()"], stdin=subprocess.PIPE)
    usage = Usage({"child": [child.pid], "me": [os.getpid()]})
    child.communicate(b"\n")
    used = usage.stop(60)
    assert set(used) == {"child", "me"}
    assert all(cores >= 0 for cores in used.values())


def test_all_processes_of_a_family_have_a_name() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        found = by_name(os.getpid())
        assert found["host"] == [os.getpid()]
        assert child.pid in found["workers"]
    finally:
        child.communicate(b"\n")
