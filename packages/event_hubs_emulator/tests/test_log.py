"""The log of a partition: what was acknowledged is there, positions are found, retention drops segments."""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from event_hubs_emulator.log import record, segment
from event_hubs_emulator.log.files import DataLockedError, FolderLock
from event_hubs_emulator.log.options import LogOptions
from event_hubs_emulator.log.partition_log import PartitionLog
from hypothesis import given, settings
from hypothesis import strategies as st

HOUR = 3_600_000


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def _render(event: bytes, sequence_number: int, offset: int, enqueued_ms: int) -> tuple[int, bytes, bytes]:
    return 0, b"%d:" % sequence_number, event


def _open(folder: Path, clock: Callable[[], int] | None = None, **options: int | None) -> PartitionLog[bytes]:
    limits = {"segment_bytes": 1000, "retention_ms": None, "retention_bytes": None} | options
    return PartitionLog(folder, "partition", _render, LogOptions(**limits), clock or Clock())  # type: ignore[arg-type]


def _read(log: PartitionLog[bytes], address: int = 0, size: int = 300) -> list[tuple[int, record.Record, bytes]]:
    """All records from `address` on, read in pieces of `size` bytes, each checked."""
    found: list[tuple[int, record.Record, bytes]] = []
    while True:
        address, chunk = log.read(address, size)
        if not chunk:
            return found
        position = 0
        while (item := record.parse(chunk, position)) is not None:
            assert record.is_intact(chunk, position, item)
            found.append((address + position, item, chunk[item.start : item.end]))
            position = item.end
        assert position, "a read that gives no whole record"
        address += position


def _bodies(log: PartitionLog[bytes]) -> list[bytes]:
    return [body for _, _, body in _read(log)]


def _expected(sends: Sequence[Sequence[bytes]]) -> list[bytes]:
    return [b"%d:" % number + body for number, body in enumerate(body for send in sends for body in send)]


SENDS = [[b"a"], [b"bb" * 200, b"c"], [b""], [b"d" * 2000], [b"e", b"f", b"g"]]


def test_what_was_appended_is_read_in_order_across_segments(tmp_path: Path) -> None:
    log = _open(tmp_path)
    for send in SENDS:
        log.append(send)
    assert _bodies(log) == _expected(SENDS)
    assert len(list(tmp_path.glob("*.log"))) > 1
    assert [item.sequence_number for _, item, _ in _read(log)] == list(range(8))


def test_sequence_numbers_offsets_and_times_go_on_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    log = _open(tmp_path, clock)
    for send in SENDS:
        clock.now += 10
        log.append(send)
    state, end = log.state(), log.end
    log.close()
    clock.now -= 500_000  # the clock may have been set back meanwhile
    log = _open(tmp_path, clock)
    assert (log.state(), log.end) == (state, end)
    log.append([b"new"])
    address, item, body = _read(log)[-1]
    assert (address, item.sequence_number, body) == (end, 8, b"8:new")
    assert item.enqueued_ms == state.last_enqueued_ms


def test_an_empty_partition_says_so(tmp_path: Path) -> None:
    log = _open(tmp_path)
    state = log.state()
    assert (state.is_empty, state.begin_sequence_number, state.last_sequence_number, state.last_offset) == (
        True,
        0,
        -1,
        -1,
    )
    assert log.read(0, 100) == (0, b"")
    log.append([])
    assert log.state().is_empty


def test_a_torn_tail_is_cut_at_every_byte(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever part of the last send reached the disk is gone as a whole, what came before is there, life goes on."""
    log = _open(tmp_path / "whole", segment_bytes=100_000)
    before = [[b"first"], [b"second", b"third"]]
    for send in before:
        log.append(send)
    kept, mark = log.end, (tmp_path / "whole" / "mark").read_bytes()
    log.append([b"torn 1", b"torn 2"])
    size = log.end - kept
    log.close()
    (tmp_path / "whole" / "mark").write_bytes(mark)  # the write was under way: it was not acknowledged
    for missing in range(1, size + 1):
        folder = tmp_path / str(missing)
        shutil.copytree(tmp_path / "whole", folder)
        [path] = folder.glob("*.log")
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size - missing)
        caplog.clear()
        log = _open(folder)
        assert log.end == kept
        log.append([b"after"])
        assert _bodies(log) == _expected([*before, [b"after"]])
        log.close()
        said = [message for message in caplog.messages if "cut" in message]
        assert said == ([] if missing == size else [said[0]])
        if missing < size:
            assert f"cut {size - missing} bytes" in said[0]
            assert f"at offset {kept}" in said[0]


def test_bytes_that_never_reached_the_disk_are_cut_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After a power cut a file may have its size but zeros for content."""
    log = _open(tmp_path)
    log.append([b"kept"])
    kept, mark = log.end, (tmp_path / "mark").read_bytes()
    log.append([b"lost"])
    log.close()
    (tmp_path / "mark").write_bytes(mark)
    [path] = tmp_path.glob("*.log")
    raw = path.read_bytes()
    at = segment.HEADER_SIZE + kept
    path.write_bytes(raw[:at] + bytes(len(raw) - at))
    log = _open(tmp_path)
    assert _bodies(log) == [b"0:kept"]
    assert any("cut" in message for message in caplog.messages)


def test_a_tail_that_is_not_what_was_written_is_cut_too(tmp_path: Path) -> None:
    log = _open(tmp_path)
    log.append([b"kept"])
    mark = (tmp_path / "mark").read_bytes()
    log.append([b"lost" * 20])
    log.close()
    (tmp_path / "mark").write_bytes(mark)
    [path] = tmp_path.glob("*.log")
    path.write_bytes(path.read_bytes()[:-10] + bytes(10))
    log = _open(tmp_path)
    assert _bodies(log) == [b"0:kept"]


@pytest.mark.parametrize("size", [0, 1, segment.HEADER_SIZE - 1])
def test_a_segment_that_was_just_being_made_is_made_anew(tmp_path: Path, size: int) -> None:
    log = _open(tmp_path)
    log.append([b"x" * 1000])
    end = log.end
    log.close()
    (tmp_path / f"{end:020d}.log").write_bytes(b"EHLOG\x00\x01\x00"[:size].ljust(size, b"\x00"))
    log = _open(tmp_path)
    log.append([b"y"])
    assert _bodies(log) == [b"0:" + b"x" * 1000, b"1:y"]


def test_damage_in_the_middle_is_skipped_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = _open(tmp_path, segment_bytes=10_000_000)
    for number in range(10):
        log.append([bytes((number,)) * 40_000])
    addresses = [address for address, _, _ in _read(log)]
    [path] = tmp_path.glob("*.log")
    with open(path, "r+b") as file:
        for damaged in (addresses[3], addresses[9]):
            file.seek(segment.HEADER_SIZE + damaged + 100)
            file.write(b"?")
    for _ in range(2):
        assert log.after_damage(addresses[3]) == addresses[4]
    assert caplog.text.count(f"skipping {addresses[4] - addresses[3]} bytes, offsets {addresses[3]} to") == 1
    assert "sequence numbers 3 to 3 are in doubt" in caplog.text
    assert log.after_damage(addresses[9]) == log.end
    assert "sequence numbers 9 to 9 are in doubt" in caplog.text
    assert (tmp_path / f"{path.stem}.{addresses[3]}.damaged").stat().st_size == addresses[4] - addresses[3]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, 90_000), min_size=1, max_size=3)), max_size=12),
    st.booleans(),
)
def test_every_position_is_found_as_by_looking_at_all(
    tmp_path_factory: pytest.TempPathFactory, sends: list[tuple[int, list[int]]], restart: bool
) -> None:
    folder, clock = tmp_path_factory.mktemp("log"), Clock()
    log = _open(folder, clock, segment_bytes=150_000)
    for later, sizes in sends:
        clock.now += later
        log.append([b"x" * size for size in sizes])
    if restart:
        log.close()
        log = _open(folder, clock, segment_bytes=150_000)
    records = _read(log, size=100_000)
    for inclusive in (True, False):
        for wanted in range(-2, len(records) + 2):
            right = [at for at, item, _ in records if item.sequence_number >= wanted + (not inclusive)]
            assert log.after_sequence_number(wanted, inclusive=inclusive) == (right[0] if right else log.end)
        for wanted in range(1_000_000 - 1, clock.now + 2):
            right = [at for at, item, _ in records if item.enqueued_ms >= wanted + (not inclusive)]
            assert log.after_time(wanted, inclusive=inclusive) == (right[0] if right else log.end)
        for known, _, _ in records:
            for wanted in (known - 1, known, known + 1):
                right = [at for at, _, _ in records if at >= wanted + (not inclusive)]
                assert log.after_offset(wanted, inclusive=inclusive) == (right[0] if right else log.end)
    log.close()


def test_a_lost_or_damaged_index_is_rebuilt(tmp_path: Path) -> None:
    log = _open(tmp_path, segment_bytes=200_000)
    for _ in range(12):
        log.append([b"x" * 50_000])
    addresses = [address for address, _, _ in _read(log)]
    log.close()
    indexes = sorted(tmp_path.glob("*.index"))
    assert len(indexes) >= 2
    indexes[0].unlink()
    indexes[1].write_bytes(indexes[1].read_bytes()[:-1] + b"?")
    log = _open(tmp_path, segment_bytes=200_000)
    assert [log.after_sequence_number(number, inclusive=True) for number in range(12)] == addresses


def test_memory_and_descriptors_do_not_grow_with_the_log(tmp_path: Path) -> None:
    log = _open(tmp_path, segment_bytes=1)
    for number in range(50):
        log.append([b"%d" % number])
    _read(log)
    assert sum(item._descriptor is not None for item in log._segments) <= 6
    assert sum(item._index is not None for item in log._segments) <= 6


def test_retention_by_size_drops_whole_segments_from_the_front(tmp_path: Path) -> None:
    log = _open(tmp_path, retention_bytes=3000)
    for _ in range(10):
        log.append([b"x" * 1000])
    state = log.state()
    assert 3000 <= log.end - log.start < 3000 + 2200
    assert state.begin_sequence_number == 10 - len(_read(log)) > 0
    assert state.last_sequence_number == 9
    assert _read(log, 0)[0][0] == log.start
    assert log.after_sequence_number(0, inclusive=True) == log.after_offset(-1, inclusive=False) == log.start
    assert len(list(tmp_path.glob("*.log"))) == len(list(tmp_path.glob("*.index"))) + 1


def test_retention_by_age_drops_what_is_too_old_and_keeps_counting(tmp_path: Path) -> None:
    clock = Clock()
    log = _open(tmp_path, clock, retention_ms=HOUR)
    log.append([b"x" * 1000])
    clock.now += HOUR // 2
    log.append([b"y" * 1000])
    clock.now += HOUR // 2 + 1
    log.drop_expired()
    assert [body[:2] for body in _bodies(log)] == [b"1:"]
    clock.now += HOUR
    log.drop_expired()
    assert log.state().is_empty
    assert (log.state().last_sequence_number, log.state().begin_sequence_number) == (1, 2)
    end = log.end
    log.close()
    log = _open(tmp_path, clock, retention_ms=HOUR)
    assert (log.state().is_empty, log.end) == (True, end)
    log.append([b"z"])
    assert _bodies(log) == [b"2:z"]


def test_a_reader_that_retention_overtook_goes_on_with_the_oldest(tmp_path: Path) -> None:
    log = _open(tmp_path, retention_bytes=1000)
    for _ in range(5):
        log.append([b"x" * 1000])
    address, chunk = log.read(10, 100)
    assert address == log.start > 10
    assert record.parse(chunk, 0) is not None


def test_a_write_that_fails_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = _open(tmp_path)
    log.append([b"kept"])
    end, state = log.end, log.state()

    def full(descriptor: int, data: bytes, position: int) -> None:
        import os

        os.pwrite(descriptor, data[: len(data) // 2], position)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(segment, "write_all", full)
        with pytest.raises(OSError, match="No space"):
            log.append([b"lost", b"too"])
    assert (log.end, log.state()) == (end, state)
    log.append([b"after"])
    log.close()
    assert _bodies(_open(tmp_path)) == [b"0:kept", b"1:after"]


def test_subscribers_are_woken_until_they_unsubscribe(tmp_path: Path) -> None:
    log, woken = _open(tmp_path), []
    log.subscribe("me", lambda: woken.append(log.end))
    log.append([b"x"])
    assert woken == [log.end]
    log.unsubscribe("me")
    log.append([b"y"])
    assert len(woken) == 1


def test_one_folder_has_one_owner(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(DataLockedError, match="in use"):
        FolderLock(tmp_path)
    lock.close()
    FolderLock(tmp_path).close()


def test_dropping_a_segment_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = _open(tmp_path, retention_bytes=1000)
    for _ in range(4):
        log.append([b"x" * 1000])
    assert "dropped 00000000000000000000.log" in caplog.text
