"""Recorded flights as a feed: one file after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import orjson

from gateway.feed import StoppedFeed
from gateway.files import Options, Reader, Row, UnreadableFile, named_after, reader_of
from gateway.files.json_lines import RAW
from gateway.forward import Forwarder
from gateway.pace import Pace
from gateway.spool import Message
from gateway.timestamps import timestamp

_AT_A_TIME = 200
_BASE = "as-if-now:"


class Recording(Protocol):
    """What sends a ``.tlog`` (``gateway.mavlink.feed``); apart, because it needs pymavlink."""

    async def send(self, path: Path, pace: Pace, progress: Callable[[float], None]) -> int: ...


class FilesFeed:
    """Rows are sent with their own times, or as if they were flown now. What has no time gets one: without it a message
    that is sent again could not be recognised. Where the spool is full it waits: a file can."""

    finite = True

    def __init__(
        self,
        paths: Sequence[Path],
        forwarder: Forwarder,
        options: Options,
        pace: Pace,
        recording: Callable[[], Recording],
        progress: Callable[[float], None] = lambda _: None,
    ) -> None:
        """``recording`` gives what sends a ``.tlog``. Raises UnreadableFile."""
        self.messages = 0
        self._files: list[tuple[Path, Reader | None]] = [(path, reader_of(path)) for path in paths]
        self._forwarder = forwarder
        self._options = options
        self._pace = pace
        self._recording = recording
        self._progress = progress
        self._now = ""

    async def run(self) -> None:
        try:
            for number, (path, reader) in enumerate(self._files):
                self._now = path.name
                # The same moment in every run of this file until it is through: what was sent before a crash is sent
                # again with the same times, and recognised.
                note = await self._base_of(path)
                if reader is None:
                    done = partial(self._done, number)
                    self.messages += await self._recording().send(path, self._pace, done)
                else:
                    await self._send(path, reader, number)
                if await self._forwarder.drain(60.0):
                    await self._forwarder.put([], {note: None})
        except (OSError, UnreadableFile) as error:
            raise StoppedFeed(str(error)) from error

    async def flush(self) -> None:
        """Nothing is held back."""

    def describe(self) -> str:
        return self._now

    async def _base_of(self, path: Path) -> str:
        try:
            stat = path.stat()
        except OSError as error:
            raise StoppedFeed(f"{path}: {error.strerror}") from error
        note = f"{_BASE}{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
        known = await self._forwarder.note(note)
        if known is None:
            await self._forwarder.put([], {note: repr(self._pace.start_now())})
        else:
            self._pace.base = float(known)
        return note

    def _done(self, number: int, fraction: float) -> None:
        self._progress((number + fraction) / len(self._files))

    async def _send(self, path: Path, reader: Reader, number: int) -> None:
        first, last, total = _span(reader(path, self._options))
        self._pace.span(first, last)
        waiting: list[Message] = []
        last_at = self._pace.base if first is None else first
        for done, row in enumerate(reader(path, self._options), 1):
            last_at = last_at if row.at is None else row.at
            if not self._pace.due(last_at):
                await self._pass_on(waiting)
                await self._pace.wait(last_at)
            waiting.append(self._message(path, row, last_at, done))
            if len(waiting) >= _AT_A_TIME:
                await self._pass_on(waiting)
                self._done(number, done / total)
        await self._pass_on(waiting)
        self._done(number, 1.0)

    def _message(self, path: Path, row: Row, last_at: float, number: int) -> Message:
        if RAW in row.message:
            return Message(named_after(path), row.message[RAW])
        message = row.message
        if row.at is None and "timestamp" not in message and "deviceId" in message:
            # A millisecond apart, so that their order is kept.
            message = {
                **message,
                "timestamp": timestamp(self._pace.moment(last_at) + number / 1000),
                "clock": "gateway",
            }
        elif row.at is not None and ("timestamp" not in message or self._pace.as_if_now):
            message = {**message, "timestamp": timestamp(self._pace.moment(row.at))}
        key = message.get("deviceId")
        return Message(key if type(key) is str and key else named_after(path), orjson.dumps(message))

    async def _pass_on(self, waiting: list[Message]) -> None:
        if waiting:
            await self._forwarder.put_patiently(waiting)
            self.messages += len(waiting)
            waiting.clear()


def _span(rows: Iterator[Row]) -> tuple[float | None, float | None, int]:
    """First and last moment (None: none has a time), and how many rows."""
    first = last = None
    total = 0
    for total, row in enumerate(rows, 1):  # noqa: B007
        if row.at is not None:
            first = row.at if first is None else min(first, row.at)
            last = row.at if last is None else max(last, row.at)
    return first, last, max(total, 1)
