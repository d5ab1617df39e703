from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.spool import FILE_NAME, LANES, Message, Spool, SpoolBusy, SpoolUnusable, lane_of


def everything(spool: Spool) -> list[tuple[str, bytes]]:
    rows = [row for lane in range(LANES) for row in spool.first(lane, 1_000_000)]
    return [(row.key, row.body) for row in sorted(rows)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_what_was_put_is_there_for_a_later_run_in_its_order_with_its_properties(folder: Path) -> None:
    spool = Spool(folder, 1_000_000)
    spool.put([Message("a", b"1", {"topic": "t"}), Message("b", b"2")])
    spool.put([Message("a", b"3")], {"word": "kept"})
    spool.close()

    later = Spool(folder, 1_000_000)
    assert everything(later) == [("a", b"1"), ("b", b"2"), ("a", b"3")]
    assert [m.properties for m in later.first(lane_of("a"), 10) if m.key == "a"] == [{"topic": "t"}, None]
    assert later.waiting == 3
    assert later.note("word") == "kept"
    later.put([], {"word": None})
    assert later.note("word") is None


def test_a_device_is_always_in_one_lane_and_devices_are_spread(folder: Path) -> None:
    assert lane_of("falcon-1") == lane_of("falcon-1")
    assert {lane_of(f"mav-{n}") for n in range(40)} == set(range(LANES))


def test_only_what_was_acknowledged_is_removed_and_its_room_is_free_again(folder: Path) -> None:
    spool = Spool(folder, 1_000_000)
    spool.put([Message("a", bytes(10)) for _ in range(1200)])
    full = spool.size
    first = spool.first(lane_of("a"), 700)
    spool.remove([m.number for m in first])
    assert spool.waiting == 500
    assert spool.size == full * 500 // 1200
    assert spool.first(lane_of("a"), 1)[0].number == first[-1].number + 1


def test_beyond_the_limit_the_oldest_is_kept_and_what_comes_is_dropped_and_counted_for_good(folder: Path) -> None:
    spool = Spool(folder, 1000)
    assert spool.put([Message("a", bytes([n]) * 100) for n in range(10)]) == 4
    assert spool.dropped == 4
    assert spool.fitting([Message("a", bytes(100))]) == 0
    assert [body[0] for _, body in everything(spool)] == list(range(6))
    spool.close()

    later = Spool(folder, 1000)
    assert later.dropped == 4
    later.remove([m.number for m in later.first(lane_of("a"), 3)])
    assert later.put([Message("a", b"new")]) == 0


def test_a_second_gateway_on_the_folder_is_told_so(folder: Path) -> None:
    spool = Spool(folder, 1000)
    code = (
        "import sys\nfrom pathlib import Path\nfrom gateway.spool import Spool, SpoolBusy\n"
        "try:\n    Spool(Path(sys.argv[1]), 1000)\nexcept SpoolBusy as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert "another gateway" in told.stdout
    spool.close()
    Spool(folder, 1000).close()


def test_a_folder_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolUnusable, match="cannot be used"):
        Spool(tmp_path / "file", 1000)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / FILE_NAME).write_bytes(b"this is no database at all" * 100)
    with pytest.raises(SpoolUnusable, match="cannot be used"):
        Spool(tmp_path / "broken", 1000)


def test_a_failed_put_leaves_nothing_behind(folder: Path) -> None:
    spool = Spool(folder, 1_000_000)
    spool._db.execute(
        "CREATE TRIGGER no BEFORE INSERT ON waiting WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(sqlite3.Error):
        spool.put([Message("a", b"1"), Message("bad", b"2")])
    assert spool.waiting == 0
    assert everything(spool) == []
    spool.put([Message("a", b"3")])
    assert everything(spool) == [("a", b"3")]


def test_killed_after_put_returned_everything_is_there(folder: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom gateway.spool import Message, Spool\n"
        "spool = Spool(Path(sys.argv[1]), 1000000)\n"
        "for n in range(50):\n    spool.put([Message('a', str(n).encode())])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert ended.returncode == -9
    assert [body for _, body in everything(Spool(folder, 1_000_000))] == [str(n).encode() for n in range(50)]


def test_spool_busy_is_not_a_broken_spool() -> None:
    assert not issubclass(SpoolBusy, SpoolUnusable)
