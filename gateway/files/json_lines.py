"""Our own JSON messages, one a line: sent as they are; what the pipeline cannot accept it says itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gateway.files import Options, Row
from telemetry import times

RAW = "raw"
"""In place of a message: a line that is no JSON object, to be sent with its bytes untouched."""


def rows(path: Path, options: Options) -> Iterator[Row]:
    """Each line's message with its timestamp as written; a line that is no object comes as ``{RAW: bytes}``: the
    pipeline keeps it as a dead letter, so that it is not lost without a word."""
    with open(path, "rb") as file:
        for line in file:
            text = line.strip().removeprefix(b"\xef\xbb\xbf")
            if not text:
                continue
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError:
                value = None
            if type(value) is not dict:
                yield Row(None, {RAW: bytes(text)})
                continue
            if options.device_id is not None:
                value["deviceId"] = options.device_id
            yield Row(_moment(value.get("timestamp")), value)


def _moment(value: Any) -> float | None:
    try:
        if type(value) is str:
            return times.epoch_microseconds(times.parse_rfc3339(value)) / 1e6
        if type(value) in (int, float):
            return float(value) / (1 if abs(value) < 1e11 else 1000)
    except (ValueError, OverflowError):
        pass
    return None
