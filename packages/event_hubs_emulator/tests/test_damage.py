"""One fault in one file costs the records it touches, and nothing else; no sequence number is used twice."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from event_hubs_emulator.log import record
from event_hubs_emulator.log.options import LogOptions
from event_hubs_emulator.log.partition_log import PartitionLog
from event_hubs_emulator.log.segment import HEADER_SIZE
from hypothesis import given, settings
from hypothesis import strategies as st

OPTIONS = LogOptions(segment_bytes=600, retention_ms=None, retention_bytes=None)
Survivor = tuple[int, bytes]
Damage = Callable[[bytes], bytes]


def _open(folder: Path) -> PartitionLog[bytes]:
    times = iter(range(1_700_000_000_000, 1_800_000_000_000))
    return PartitionLog(folder, "hub h partition 0", lambda event, *_: (0, b"", event), OPTIONS, lambda: next(times))


def _survivors(log: PartitionLog[bytes], size: int = 300) -> list[Survivor]:
    """(sequence number, body) of what a consumer gets from the beginning on."""
    found, address = [], log.start
    while address < log.end:
        address, chunk = log.read(address, size)
        if not chunk:
            break
        position = 0
        while (item := record.parse(chunk, position)) is not None and record.is_intact(chunk, position, item):
            found.append((item.sequence_number, chunk[item.start : item.end]))
            position = item.end
        before = address
        address = address + position if position else log.after_damage(address)
        assert address > before, "it does not go on"
    return found


def _extents(log: PartitionLog[bytes]) -> dict[Survivor, tuple[str, int, int]]:
    """Where each event is: file name, first byte and the one after the last."""
    return {
        (item.sequence_number, part.raw(address, 10**6)[27 : 27 + item.end - item.start]): (
            part.path.name,
            HEADER_SIZE + address - part.base,
            HEADER_SIZE + address - part.base + 27 + item.end - item.start,
        )
        for part in log._segments
        for address, item in part.scan(part.base)
    }


BODIES = [b"a", b"", b"event body " * 9, b"\x00" * 70, b"b" * 300, b"EHLOG\x00\x01\x00" * 4, bytes(range(200))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Survivor, tuple[str, int, int]]]:
    """A log of some segments, of sends of one to four events, as a kill -9 would leave it."""
    folder = tmp_path_factory.mktemp("whole")
    log = _open(folder)
    for number in range(12):
        log.append([BODIES[(number + more) % len(BODIES)] + b"%d" % number for more in range(1 + number % 4)])
    extents = _extents(log)
    log.close()
    assert len({name for name, _, _ in extents.values()}) >= 4
    return folder, extents


def _check(
    folder: Path, extents: dict[Survivor, tuple[str, int, int]], name: str, touched: Callable[[int, int], bool]
) -> None:
    log = _open(folder)
    survivors = _survivors(log)
    assert survivors == sorted(survivors), "out of order"
    assert set(survivors) <= set(extents), "an event that nobody sent"
    lost = set(extents) - set(survivors)
    for event in lost:
        file, start, end = extents[event]
        assert file == name, f"{event[0]} in {file} is lost"
        assert touched(start, end), f"{event[0]} at {start} to {end} was not touched and is lost"
    highest = max(number for number, _ in extents)
    assert log.append([b"after"]) > highest, "a sequence number is used again"
    assert _survivors(log)[-1][1] == b"after"
    log.close()
    again = _open(folder)
    assert _survivors(again) == [*survivors, (again.state().last_sequence_number, b"after")]
    again.close()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.stat().st_size)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_bit_costs_the_record_it_is_in(
    tmp_path_factory: pytest.TempPathFactory,
    whole: tuple[Path, dict[Survivor, tuple[str, int, int]]],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("flip") / "log"
    shutil.copytree(whole[0], folder)
    path = data.draw(st.sampled_from(_files(folder)))
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    _check(folder, whole[1], path.name, lambda start, end: start <= at < end)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_zeroed_range_costs_the_records_it_touches(
    tmp_path_factory: pytest.TempPathFactory,
    whole: tuple[Path, dict[Survivor, tuple[str, int, int]]],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("zero") / "log"
    shutil.copytree(whole[0], folder)
    path = data.draw(st.sampled_from(_files(folder)))
    raw = bytearray(path.read_bytes())
    first = data.draw(st.integers(0, len(raw) - 1))
    last = min(first + data.draw(st.integers(1, 900)), len(raw))
    raw[first:last] = bytes(last - first)
    path.write_bytes(raw)
    _check(folder, whole[1], path.name, lambda start, end: start < last and first < end)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_cut_short_costs_what_was_cut(
    tmp_path_factory: pytest.TempPathFactory,
    whole: tuple[Path, dict[Survivor, tuple[str, int, int]]],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("cut") / "log"
    shutil.copytree(whole[0], folder)
    path = data.draw(st.sampled_from(_files(folder)))
    size = data.draw(st.integers(0, path.stat().st_size - 1))
    with open(path, "r+b") as file:
        file.truncate(size)
    _check(folder, whole[1], path.name, lambda start, end: end > size)


def test_a_lost_file_costs_what_was_in_it(
    tmp_path: Path, whole: tuple[Path, dict[Survivor, tuple[str, int, int]]]
) -> None:
    for path in _files(whole[0]):
        folder = tmp_path / path.name
        shutil.copytree(whole[0], folder)
        (folder / path.name).unlink()
        _check(folder, whole[1], path.name, lambda start, end: True)


def test_what_is_in_doubt_is_said_and_kept(
    tmp_path: Path, whole: tuple[Path, dict[Survivor, tuple[str, int, int]]], caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "log"
    shutil.copytree(whole[0], folder)
    number, (name, start, end) = next((event[0], extent) for event, extent in whole[1].items() if event[0] == 5)
    raw = bytearray((folder / name).read_bytes())
    raw[start + 30] ^= 1
    (folder / name).write_bytes(raw)
    log = _open(folder)
    _survivors(log)
    _survivors(log)
    [line] = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.ERROR]
    assert line.startswith(f"hub h partition 0: damage in {name}: skipping {end - start} bytes")
    assert f"sequence numbers {number} to {number} are in doubt" in line
    [aside] = folder.glob("*.damaged")
    assert aside.read_bytes() == bytes(raw[start:end])
    log.close()


def test_the_header_of_a_segment_is_made_anew_and_its_events_are_there(
    tmp_path: Path, whole: tuple[Path, dict[Survivor, tuple[str, int, int]]], caplog: pytest.LogCaptureFixture
) -> None:
    for place in (0, 1, -1):
        folder = tmp_path / str(place)
        shutil.copytree(whole[0], folder)
        path = sorted(folder.glob("*.log"))[place]
        path.write_bytes(b"?" * HEADER_SIZE + path.read_bytes()[HEADER_SIZE:])
        caplog.clear()
        log = _open(folder)
        assert dict.fromkeys(_survivors(log)) == dict.fromkeys(whole[1])
        assert "header were made anew" in caplog.text
        log.close()
        caplog.clear()
        _open(folder).close()
        assert not caplog.records


def test_a_tail_that_is_gone_is_missed(
    tmp_path: Path, whole: tuple[Path, dict[Survivor, tuple[str, int, int]]], caplog: pytest.LogCaptureFixture
) -> None:
    """Cut exactly between two records, nothing in the segment tells that there were more."""
    folder = tmp_path / "log"
    shutil.copytree(whole[0], folder)
    (name, start, _) = list(whole[1].values())[-2]
    number = list(whole[1])[-2][0]
    with open(folder / name, "r+b") as file:
        file.truncate(start)
    log = _open(folder)
    assert f"sequence numbers {number} to {number + 1} were given out and are lost" in caplog.text
    assert log.state().last_sequence_number == number + 1
    log.close()


def test_a_segment_cut_to_nothing_in_the_middle_holds_nobody_up(
    tmp_path: Path, whole: tuple[Path, dict[Survivor, tuple[str, int, int]]]
) -> None:
    folder = tmp_path / "log"
    shutil.copytree(whole[0], folder)
    for path in sorted(folder.glob("*.log"))[1:3]:
        with open(path, "r+b") as file:
            file.truncate(HEADER_SIZE)
    log = _open(folder)
    names = [path.name for path in sorted(folder.glob("*.log"))[1:3]]
    assert _survivors(log) == [event for event, (name, _, _) in whole[1].items() if name not in names]
    log.close()


def test_damage_beyond_a_chunk_is_gone_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("event_hubs_emulator.log.damage._CHUNK", 64)
    log: PartitionLog[bytes] = PartitionLog(
        tmp_path, "p", lambda event, *_: (0, b"", event), LogOptions(segment_bytes=10**6)
    )
    for number in range(20):
        log.append([b"%03d" % number * 10])
    [path] = tmp_path.glob("*.log")
    with open(path, "r+b") as file:
        file.seek(HEADER_SIZE + 57 * 3 + 5)
        file.write(bytes(57 * 10))
    assert [number for number, _ in _survivors(log)] == [0, 1, 2, *range(14, 20)]
