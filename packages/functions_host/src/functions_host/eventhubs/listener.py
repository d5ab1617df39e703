"""The Event Hubs trigger of one function: a consumer per partition, reconnecting for as long as the host runs."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, PartitionContext

from functions_host.errors import StartError
from functions_host.eventhubs.checkpoints import Checkpoint, CheckpointStore
from functions_host.eventhubs.connection import Source, client_arguments
from functions_host.eventhubs.events import ReceivedEvent, Unreadable, from_sdk
from functions_host.eventhubs.pump import PartitionPump
from functions_host.eventhubs.quick_events import install_quick_events
from functions_host.eventhubs.quick_frames import install_quick_frames
from functions_host.eventhubs.tolerant_decoding import install_tolerant_decoding
from functions_host.functions import FunctionInfo
from functions_host.host_json import EventHubsOptions
from functions_host.invoker import Invoker
from functions_host.settings import resolve
from functions_host.tasks import Supervised, supervise

logger = logging.getLogger("functions_host.eventhubs")

Position = str | datetime
_OPEN_SECONDS = 3.0
_CHECKPOINT_SECONDS = 0.3
_NAMED_DAMAGE = 20
_RETRY_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0)


class EventHubListener:
    """Reads every partition of the trigger's hub with the trigger's consumer group."""

    def __init__(
        self, function: FunctionInfo, source: Source, options: EventHubsOptions, invoker: Invoker, data_dir: Path
    ) -> None:
        self.function = function
        self.source = source
        group = function.trigger.get("consumerGroup") or "$Default"
        self.group = resolve(str(group), f"function {function.name!r}")
        self._options = options
        self._invoker = invoker
        self._store = CheckpointStore(data_dir, source.checkpoint_key, self.group)
        self._stopping = asyncio.Event()
        self._starting: Supervised | None = None
        self._pumping: list[Supervised] = []
        self._pumps: dict[str, PartitionPump] = {}
        self._receivers: list[Supervised] = []
        self._lost: set[str] = set()
        self._damaged = 0

    def start(self) -> None:
        """Begin to receive. StartError for a connection string that the SDK cannot read."""
        install_quick_frames()
        install_quick_events()
        if not install_tolerant_decoding():
            logger.warning("this azure-eventhub is not known: an event that it cannot decode holds up its partition")
        try:
            self._client()
        except ValueError as error:
            raise StartError(f"function {self.function.name!r}: its Event Hubs connection is wrong: {error}") from None
        if not self.function.takes_many and self.function.asks_for_several:
            logger.warning(
                "%s: its trigger has no cardinality=MANY, so it is called with one event each time, here as in Azure; "
                "its annotation asks for several",
                self.function.name,
            )
        self._starting = supervise(self._run, f"Event Hubs trigger {self.function.name}")

    def stop_receiving(self) -> None:
        """Deliver nothing more; batches under way go on to their checkpoint."""
        self._stopping.set()
        for pump in self._pumps.values():
            pump.wake()

    async def close(self) -> None:
        """End what still runs; a batch that is cut off is not checkpointed, one that is just done still is."""
        self.stop_receiving()
        tasks = [*self._receivers, *([self._starting] if self._starting else [])]
        pumping = (pump.stop(_CHECKPOINT_SECONDS) for pump in self._pumping)
        await asyncio.gather(*pumping, *(task.stop() for task in tasks))

    async def _run(self) -> None:
        partitions = await self._partitions()
        for partition in partitions:
            context = {
                "FullyQualifiedNamespace": self.source.fully_qualified_namespace,
                "EventHubName": self.source.hub,
                "ConsumerGroup": self.group,
                "PartitionId": partition,
            }
            if partition in self._pumps:
                continue  # this is not the first time
            pump = PartitionPump(
                self.function, partition, context, self._options, self._invoker, self._store, self._stopping
            )
            self._pumps[partition] = pump
            name = f"{self.function.name} partition {partition}"
            self._pumping.append(supervise(pump.run, f"delivery to {name}"))
            self._receivers.append(supervise(partial(self._receive, pump), f"receiving for {name}"))

    def _client(self) -> EventHubConsumerClient:
        # No retries inside the SDK: the loop below reconnects, from the position that is right by then.
        arguments: dict[str, Any] = {"consumer_group": self.group, "retry_total": 0, **client_arguments(self.source)}
        if "conn_str" in arguments:
            return EventHubConsumerClient.from_connection_string(**arguments)
        return EventHubConsumerClient(**arguments)

    async def _partitions(self) -> list[str]:
        attempt = 0
        while True:
            client = self._client()
            try:
                return list(await client.get_partition_ids())
            except asyncio.CancelledError:
                raise
            except Exception as error:
                await self._wait("all", attempt, error)
                attempt += 1
            finally:
                await client.close()

    async def _receive(self, pump: PartitionPump) -> None:
        attempt = 0
        while not self._stopping.is_set():
            client = self._client()
            try:
                position = await self._position(client, pump)
                error = await self._receive_until_error(client, pump, position)
                attempt = 0 if pump.partition not in self._lost else attempt
            except asyncio.CancelledError:
                raise
            except Exception as caught:
                error = caught
            finally:
                await asyncio.shield(client.close())
            await self._wait(pump.partition, attempt, error)
            attempt += 1

    async def _receive_until_error(
        self, client: EventHubConsumerClient, pump: PartitionPump, position: Position
    ) -> Exception:
        failure: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

        async def on_batch(_: PartitionContext, events: list[EventData]) -> None:
            if events:
                self._connected(pump.partition)
                await pump.put(self._read(events, pump))

        async def on_error(_: PartitionContext | None, error: Exception) -> None:
            if not failure.done():
                failure.set_result(error)

        receiving = asyncio.ensure_future(
            client.receive_batch(
                on_batch,
                partition_id=pump.partition,
                starting_position=position,
                max_batch_size=max(self._options.prefetch, self._options.max_batch),
                prefetch=self._options.prefetch,
                on_error=on_error,
            )
        )
        try:
            # The SDK does not say that a link is open: one that stays without an error for a while is.
            done, _ = await asyncio.wait(
                {receiving, failure}, timeout=_OPEN_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                self._connected(pump.partition)
                await asyncio.wait({receiving, failure}, return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                return failure.result()
            return receiving.exception() or ConnectionError("the receiver ended")
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    def _read(self, events: list[EventData], pump: PartitionPump) -> list[ReceivedEvent]:
        """The events in this host's own form; what is wrong with one is said, and holds up none of the others."""
        found: list[ReceivedEvent] = []
        where = f"{self.function.name}: Event Hub {self.source.hub} partition {pump.partition}"
        for event in events:
            try:
                found.append(from_sdk(event))
            except Unreadable as error:
                newest = pump.last_received if not found else Checkpoint(found[-1].offset, found[-1].sequence_number)
                after = "at its start" if newest is None else f"after offset {newest.offset}"
                logger.error("%s: the event %s cannot be read and is passed over: %s", where, after, error)
                continue
            if found[-1].damage:
                self._warn_of_damage(where, found[-1])
        return found

    def _warn_of_damage(self, where: str, event: ReceivedEvent) -> None:
        self._damaged += 1
        if self._damaged > _NAMED_DAMAGE and self._damaged % _NAMED_DAMAGE:
            return
        logger.warning(
            "%s: the event at offset %s (sequence number %d) could not be read as it is (%s); "
            "what can be had of it is handed over%s",
            where, event.offset, event.sequence_number, event.damage,
            f"; {self._damaged} such events so far" if self._damaged >= _NAMED_DAMAGE else "",
        )  # fmt: skip

    async def _position(self, client: EventHubConsumerClient, pump: PartitionPump) -> Position:
        """After the newest event received, else after the checkpoint, else where initialOffsetOptions says."""
        known = pump.last_received or self._store.load(pump.partition)
        if known is None:
            return self._initial_position()
        properties = await client.get_partition_properties(pump.partition)
        last = int(properties["last_enqueued_sequence_number"])
        self._connected(pump.partition)
        if last < known.sequence_number:
            logger.warning(
                "%s: Event Hub %s partition %s ends at %d, before the checkpoint (%d): it was made anew, "
                "so it is read from its start",
                self.function.name, self.source.hub, pump.partition, last, known.sequence_number,
            )  # fmt: skip
            pump.last_received = None
            return "-1"
        pump.last_received = known if pump.last_received is None else pump.last_received
        return self._after(known)

    @staticmethod
    def _after(known: Checkpoint) -> Position:
        return known.offset or "-1"

    def _initial_position(self) -> Position:
        initial = self._options.initial_offset
        if initial.kind == "fromEnd":
            return "@latest"
        return initial.enqueued_time or "-1"

    def _connected(self, partition: str) -> None:
        if partition in self._lost:
            self._lost.discard(partition)
            if not self._lost:
                logger.info("%s: connected again to Event Hub %s", self.function.name, self.source.hub)

    async def _wait(self, partition: str, attempt: int, error: Exception) -> None:
        if self._stopping.is_set():
            return
        if not self._lost:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            logger.warning(
                "%s: no connection to Event Hub %s (%s); retrying", self.function.name, self.source.hub, reason
            )
        if partition != "all":
            self._lost.add(partition)
        await asyncio.sleep(_RETRY_DELAYS[min(attempt, len(_RETRY_DELAYS) - 1)])
