"""Where each partition of each consumer group stands, on disk."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from functions_host.files import safe_name, write_atomically

logger = logging.getLogger("functions_host.eventhubs")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last event that was handed to the function: `offset` as the service gave it, and its sequence number."""

    offset: str
    sequence_number: int

    @property
    def is_broken(self) -> bool:
        """One that was there and could not be read: what it said is unknown."""
        return self == BROKEN


BROKEN = Checkpoint("", -1)


# What a file that is written over is padded to. No checkpoint that a hub gives is longer.
_LENGTH = 256


class CheckpointStore:
    """One small JSON file per partition.

    The first checkpoint of a process replaces the file, further ones are written over it, each with one call and padded
    to the same length: a new file and a rename for every batch cost ten times as much. Within a memory page, and a disk
    sector, such a call is done or not done, so kill -9 leaves the old checkpoint or the new one. Who copies the file
    meanwhile may catch a part of each, and had better read it until it reads the same twice.
    """

    def __init__(self, data_dir: Path, hub_key: str, consumer_group: str) -> None:
        self._dir = data_dir / "checkpoints" / safe_name(hub_key) / safe_name(consumer_group)
        self._dir.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, FileIO] = {}

    def load(self, partition: str) -> Checkpoint | None:
        """None if there never was one; BROKEN, and a warning, for one that cannot be read."""
        path = self._path(partition)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return Checkpoint(str(document["offset"]), int(document["sequence_number"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, OSError) as error:
            logger.warning(
                "the checkpoint in %s cannot be read (%s); the partition is read from its oldest event",
                path,
                type(error).__name__,
            )
            return BROKEN

    def save(self, partition: str, checkpoint: Checkpoint) -> None:
        """Raises OSError. Not synced: a power cut may repeat batches, which at-least-once allows."""
        record = json.dumps({"offset": checkpoint.offset, "sequence_number": checkpoint.sequence_number}).ljust(_LENGTH)
        file = self._files.get(partition)
        # One that somebody has removed is written again under its name.
        if file is None or len(record) > _LENGTH or not os.fstat(file.fileno()).st_nlink:
            self._forget(partition)
            write_atomically(self._path(partition), record, sync=False)
            if len(record) == _LENGTH:
                self._files[partition] = FileIO(self._path(partition), "r+")
            return
        file.seek(0)
        file.write(record.encode())

    def close(self) -> None:
        for partition in [*self._files]:
            self._forget(partition)

    def _forget(self, partition: str) -> None:
        file = self._files.pop(partition, None)
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def _path(self, partition: str) -> Path:
        return self._dir / f"{safe_name(partition)}.json"
