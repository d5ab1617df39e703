"""What became free in arenas of other threads goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest
from functions_host import lean_memory

# Blocks of a size that malloc serves from an arena, every other one freed: holes that no other thread fills.
_HOLES = """
import ctypes, sys, threading, time
from functions_host import lean_memory
lean_memory.TRIM_SECONDS = 0.05
if sys.argv[1] == "lean":
    lean_memory.keep_lean()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]

def burst():
    blocks = [libc.malloc(100_000) for _ in range(1_000)]
    for block in blocks:
        ctypes.memset(block, 1, 100_000)
    for number, block in enumerate(blocks):
        if number % 10:
            libc.free(block)

threads = [threading.Thread(target=burst) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
time.sleep(1)
print(sum(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Private_")) // 1024)
"""


@pytest.mark.skipif(lean_memory._glibc() is None, reason="the C library is not glibc")
def test_holes_are_given_back() -> None:
    resident = {
        how: int(subprocess.run([sys.executable, "-c", _HOLES, how], capture_output=True, text=True, check=True).stdout)
        for how in ("as it is", "lean")
    }
    assert resident["as it is"] > 250
    assert resident["lean"] < 100


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_memory, "_glibc", lambda: None)
    assert lean_memory.keep_lean() is False
