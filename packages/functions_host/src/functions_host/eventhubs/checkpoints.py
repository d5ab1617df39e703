"""Where each partition of each consumer group stands, on disk."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
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


class CheckpointStore:
    """One small file per partition, replaced atomically: kill -9 leaves the old checkpoint or the new one."""

    def __init__(self, data_dir: Path, hub_key: str, consumer_group: str) -> None:
        self._dir = data_dir / "checkpoints" / safe_name(hub_key) / safe_name(consumer_group)
        self._dir.mkdir(parents=True, exist_ok=True)

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
        # Not synced: a power cut may repeat batches, which at-least-once allows; kill -9 loses nothing either way.
        write_atomically(self._path(partition), json.dumps(asdict(checkpoint)), sync=False)

    def _path(self, partition: str) -> Path:
        return self._dir / f"{safe_name(partition)}.json"
