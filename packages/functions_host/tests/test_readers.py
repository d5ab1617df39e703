"""Hosts that read the same hub find each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from functions_host.eventhubs.readers import Reader, ReaderMark

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs file locks of POSIX")

OTHER = """
import sys
from pathlib import Path
from functions_host.eventhubs.readers import ReaderMark
mark = ReaderMark("localhost:1", sys.argv[2], "g", Path("/other"), Path(sys.argv[1]))
mark.show()
print("shown", flush=True)
sys.stdin.read()
"""


def mark(folder: Path, hub: str = "h") -> ReaderMark:
    made = ReaderMark("localhost:1", hub, "g", Path("/mine"), folder)
    made.show()
    return made


def test_another_process_is_found_until_it_ends(tmp_path: Path) -> None:
    mine, elsewhere = mark(tmp_path), mark(tmp_path, "elsewhere")
    assert mine.others() == []
    command = [sys.executable, "-c", OTHER, str(tmp_path), "H"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert mine.others() == [Reader(other.pid, "/other")]
        assert elsewhere.others() == []
        other.kill()
    assert mine.others() == []
    # The dead one's mark is gone, ours are not.
    assert len(list(tmp_path.iterdir())) == 2
    mine.close()
    elsewhere.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_used_keeps_nobody_from_reading(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert mark(tmp_path / "file").others() == []


def test_junk_among_the_marks_is_nobody(tmp_path: Path) -> None:
    mine = mark(tmp_path)
    name = next(tmp_path.iterdir()).name.split(".")[0]
    (tmp_path / f"{name}.junk").write_text("{")
    assert mine.others() == []
