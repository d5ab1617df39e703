"""All ports together: what a process opens."""

from __future__ import annotations

from typing import Protocol

from pipeline.ports.alerts import AlertStore
from pipeline.ports.dead_letters import DeadLetterStore
from pipeline.ports.flights import FlightStore
from pipeline.ports.held import HeldBatches
from pipeline.ports.ledger import BatchLedger
from pipeline.ports.messages import MessageStore
from pipeline.ports.reference import ReferenceStore


class Store(Protocol):
    """One per process. ``open`` before use; ``health`` raises ``StoreUnavailable`` when it cannot be written,
    or when the last write failed and none has succeeded since."""

    ledger: BatchLedger
    held: HeldBatches
    messages: MessageStore
    dead_letters: DeadLetterStore
    flights: FlightStore
    reference: ReferenceStore
    alerts: AlertStore

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def health(self) -> None: ...
