"""Plays a ``.tlog``: the same file gives the same messages every time, so that what was sent before is recognised."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.mavlink.fold import Fold
from gateway.mavlink.packets import Packets
from gateway.mavlink.tlog import Record, records
from gateway.pace import Pace


class NothingRecorded(ValueError):
    """The file holds no MAVLink packet; the text says which file."""


def span(path: Path) -> tuple[float, float]:
    """First and last moment of the file. Raises NothingRecorded, OSError."""
    first = last = None
    for record in records(path):
        first = record.at if first is None else first
        last = record.at
    if first is None or last is None:
        raise NothingRecorded(f"{path} holds no MAVLink packet: it is no .tlog")
    return first, last


async def play(
    path: Path,
    interval: float,
    device_ids: Mapping[str, str],
    pace: Pace,
    *,
    packets: Packets | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> AsyncIterator[list[dict[str, Any]]]:
    """The file's messages, when they are due. ``progress`` is told the fraction that is done.

    Raises NothingRecorded, OSError."""
    first, last = span(path)
    pace.span(first, last)
    fold = Fold(interval, device_ids, retimed=pace.moment)
    decoder = packets if packets is not None else Packets()
    for record in _with_end(records(path)):
        if record is None:
            fold.close()
        else:
            await pace.wait(record.at)
            fold.tick(record.at)
            for packet in decoder.feed_datagram(record.data):
                fold.hear(str(path), packet, record.at)
            progress((record.at - first) / (last - first) if last > first else 1.0)
        messages = fold.take()
        if messages:
            yield messages


def _with_end(all_records: Iterator[Record]) -> Iterator[Record | None]:
    yield from all_records
    yield None
