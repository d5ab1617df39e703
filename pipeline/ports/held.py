"""Completed batches of whose messages some drones have not been told yet."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Held:
    """A batch (``id``) that was completed at ``since`` (canonical). What ``instance_id`` staged is still there, and
    ``enqueued_from`` is the earliest enqueued time of its messages."""

    id: str
    instance_id: str
    hub: str
    partition: str
    since: str
    enqueued_from: str


@dataclass(frozen=True)
class HeldTotals:
    """How many batches, when the oldest was completed, and the earliest enqueued time of their messages."""

    batches: int = 0
    since: str | None = None
    enqueued_from: str | None = None


class HeldBatches(Protocol):
    """``BatchLedger.complete`` holds a batch; whoever has told its drones releases it. A replay leaves it held."""

    async def list(self, hub: str, partition: str, limit: int) -> builtins.list[Held]:
        """Of one partition of the hub, the oldest first."""
        ...

    async def partitions(self, since_before: str) -> builtins.list[tuple[str, str]]:
        """Hub and partition of all that are held since a time before this one."""
        ...

    async def totals(self) -> HeldTotals: ...

    async def release(self, held: Sequence[Held]) -> None:
        """The drones know: the staged documents go. One that is not held any more is left as it is."""
        ...
