"""The containers: names, partition keys and indexing. ``infra/`` makes them; the app itself does only on an emulator.

Every container has time to live switched on without a default: an item lives on unless it says otherwise. Only
what a query asks for is indexed, since every indexed path is paid for by every write. docs/storage-azure.md has the
queries and what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BATCHES = "batches"
MESSAGES = "messages"
DEAD_LETTERS = "deadletters"
FLIGHTS = "flights"
REFERENCE = "reference"

NO_DEFAULT_TTL = -1
"""Items expire only if they carry a ``ttl`` of their own (seconds)."""


@dataclass(frozen=True)
class ContainerSpec:
    name: str
    partition_key: str
    indexed: tuple[str, ...]
    default_ttl: int = NO_DEFAULT_TTL

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
        ("/kind/?", "/sort/?", "/statusSort/?", "/partition/?", "/inFlightSince/?", "/completedAt/?", "/purgedSort/?"),
    ),
    ContainerSpec(MESSAGES, "/deviceId", ("/sort/?", "/enqueuedAt/?")),
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
)
