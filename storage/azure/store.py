"""The store on Azure: one Cosmos DB client and one Blob client per process."""

from __future__ import annotations

from typing import Any, cast

from pipeline.ports import (
    AlertStore,
    BatchLedger,
    DeadLetterStore,
    FlightStore,
    HeldBatches,
    MessageStore,
    ReferenceStore,
    StoreUnavailable,
)
from settings import AzureStoreSettings, Retention
from storage.azure.alerts import CosmosAlerts
from storage.azure.blobs import Blobs
from storage.azure.calls import PATIENCE, Calls
from storage.azure.connect import Clients
from storage.azure.containers import (
    ALERTS,
    BATCHES,
    CONTAINERS,
    DEAD_LETTERS,
    FLIGHTS,
    MESSAGES,
    OLD_MESSAGES,
    REFERENCE,
)
from storage.azure.dead_letters import CosmosDeadLetters
from storage.azure.flights import SETTLE_SECONDS, CosmosFlights
from storage.azure.gather import gather_all
from storage.azure.held import CosmosHeld
from storage.azure.items import Items
from storage.azure.ledger import CosmosLedger
from storage.azure.loop_thread import LoopThread, OnLoop
from storage.azure.messages import CosmosMessages
from storage.azure.reference import CosmosReference

_MAX_TTL = 2_147_483_647


class AzureStore:
    """``Store`` on Cosmos DB and Blob storage."""

    ledger: BatchLedger
    messages: MessageStore
    dead_letters: DeadLetterStore
    held: HeldBatches
    flights: FlightStore
    reference: ReferenceStore
    alerts: AlertStore

    def __init__(
        self,
        settings: AzureStoreSettings,
        retention: Retention,
        *,
        deadline: float = 30.0,
        patience: float = PATIENCE,
        settle: float = SETTLE_SECONDS,
    ) -> None:
        self._settings = settings
        self._message_ttl = _seconds(retention.messages_hours)
        # Twice as long as a resolved dead letter is kept: nobody can ask for it after that.
        self._trace_ttl = _seconds(2 * retention.dead_letters_hours + 24)
        self._deadline = deadline
        self._patience = patience
        self._settle = settle
        self._thread: LoopThread | None = None
        self._clients: Clients | None = None
        self._items: dict[str, Items] = {}
        self._blobs: Blobs | None = None
        self._old_messages: Items | None = None

    async def open(self) -> None:
        if self._thread is not None:
            return
        thread = LoopThread("azure-store")
        try:
            await thread.run(self._open())
        except BaseException:
            await thread.run(self._close())
            await thread.stop()
            raise
        self._thread = thread
        blobs = cast(Blobs, self._blobs)
        batches, letters = self._items[BATCHES], self._items[DEAD_LETTERS]
        messages = CosmosMessages(self._items[MESSAGES], blobs, self._message_ttl, self._old_messages)
        self.ledger = _on(thread, CosmosLedger(batches, blobs, self._trace_ttl))
        self.held = _on(thread, CosmosHeld(batches, blobs))
        self.messages = _on(thread, messages)
        self.dead_letters = _on(thread, CosmosDeadLetters(letters, blobs, batches))
        self.flights = _on(thread, CosmosFlights(self._items[FLIGHTS], messages, settle=self._settle))
        self.reference = _on(thread, CosmosReference(self._items[REFERENCE]))
        self.alerts = _on(thread, CosmosAlerts(self._items[ALERTS]))

    async def _open(self) -> None:
        try:
            await self._connect()
        except ValueError as error:  # of base64, or of the parts of a connection string
            raise StoreUnavailable(
                "store: COSMOS_KEY or BATCH_BLOB_CONNECTION_STRING is malformed (value not shown)"
            ) from error

    async def _connect(self) -> None:
        self._clients = clients = Clients(self._settings)
        calls = Calls(deadline=self._deadline, patience=self._patience)
        self._items = {spec.name: Items(clients.database.get_container_client(spec.name), calls) for spec in CONTAINERS}
        self._blobs = Blobs(clients.blobs, calls)
        await calls.run("opening the Azure store", clients.open)
        await self._probe()
        old = Items(clients.database.get_container_client(OLD_MESSAGES), calls)
        self._old_messages = old if await old.has_any() else None

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            await thread.run(self._close())
            await thread.stop()

    async def _close(self) -> None:
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients.close()

    async def health(self) -> None:
        if self._thread is None:
            raise StoreUnavailable("store: it is not open")
        await self._thread.run(self._probe())

    async def _probe(self) -> None:
        blobs = cast(Blobs, self._blobs)
        await gather_all([*(items.probe() for items in self._items.values()), blobs.probe()])

    def request_units(self) -> dict[str, float]:
        """Request units spent so far, by container."""
        return {name: items.request_units for name, items in self._items.items()}


def _on(thread: LoopThread, port: object) -> Any:
    return OnLoop(port, thread)


def _seconds(hours: float) -> int:
    return max(1, min(int(hours * 3600), _MAX_TTL))
