"""The containers: names, partition keys and indexing. ``infra/`` makes them; the app itself does only on an emulator.

Every container has time to live switched on without a default: an item lives on unless it says otherwise. Only
what a query asks for is indexed, since every indexed path is paid for by every write. docs/storage-azure.md has the
queries and what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BATCHES = "batches"
MESSAGES = "messages-by-day"
OLD_MESSAGES = "messages"
"""Where messages were kept by the drone alone, whose 20 GB a fast drone fills. Read as long as something is in it; made
no more (docs/storage-azure.md)."""
DEAD_LETTERS = "deadletters"
FLIGHTS = "flights"
REFERENCE = "reference"
ALERTS = "alerts"

NO_DEFAULT_TTL = -1
"""Items expire only if they carry a ``ttl`` of their own (seconds)."""


@dataclass(frozen=True)
class ContainerSpec:
    name: str
    partition_key: str
    indexed: tuple[str, ...]
    default_ttl: int = NO_DEFAULT_TTL
    second_key: str | None = None
    """The second level of a hierarchical partition key."""

    @property
    def key_paths(self) -> list[str]:
        return [self.partition_key] if self.second_key is None else [self.partition_key, self.second_key]

    @property
    def indexing_policy(self) -> dict[str, Any]:
        return {
            "indexingMode": "consistent",
            "automatic": True,
            "includedPaths": [{"path": path} for path in self.indexed],
            "excludedPaths": [{"path": "/*"}],
        }


CONTAINERS = (
    ContainerSpec(
        BATCHES,
        "/bucket",
        (
            "/kind/?",
            "/sort/?",
            "/statusSort/?",
            "/partition/?",
            "/inFlightSince/?",
            "/completedAt/?",
            "/purgedSort/?",
            "/heldSort/?",
        ),
    ),
    ContainerSpec(MESSAGES, "/deviceId", ("/sort/?", "/enqueuedAt/?"), second_key="/day"),
    ContainerSpec(
        DEAD_LETTERS,
        "/bucket",
        (
            "/kind/?",
            "/sort/?",
            "/statusSort/?",
            "/codes/[]/?",
            "/deviceId/?",
            "/batchId/?",
            "/resolvedAt/?",
            "/claimedAt/?",
        ),
    ),
    ContainerSpec(FLIGHTS, "/deviceId", ("/sort/?", "/lastAt/?")),
    ContainerSpec(REFERENCE, "/kind", ("/version/?",)),
    ContainerSpec(
        ALERTS,
        "/deviceId",
        ("/sort/?", "/status/?", "/code/?", "/acknowledged/?", "/unsettled/?", "/clearedAt/?", "/notedAt/?"),
    ),
)
