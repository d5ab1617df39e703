"""The Event Hubs trigger of one function: a consumer per partition, reconnecting for as long as the host runs."""

from __future__ import annotations

import asyncio
import functools
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from functions_host.errors import StartError
from functions_host.eventhubs.checkpoints import CheckpointStore
from functions_host.eventhubs.connection import Source, named_port
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.hub import HubConnection
from functions_host.eventhubs.positions import Position, initial_position, resume
from functions_host.eventhubs.pump import PartitionPump, Step
from functions_host.eventhubs.readers import Reader, ReaderMark
from functions_host.eventhubs.sdk_connection import SdkConnection
from functions_host.eventhubs.sdk_patches import prepare
from functions_host.functions import FunctionInfo
from functions_host.host_json import EventHubsOptions
from functions_host.invoker import Invoker
from functions_host.settings import resolve
from functions_host.tasks import Supervised, supervise

if TYPE_CHECKING:
    from functions_host.eventhubs.local.connection import LocalConnection

logger = logging.getLogger("functions_host.eventhubs")

_CHECKPOINT_SECONDS = 0.3
_LOOK_SECONDS = 10.0
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
        self._mark = ReaderMark(source.fully_qualified_namespace, source.hub, self.group, data_dir)
        self._store = CheckpointStore(data_dir, source.checkpoint_key, self.group)
        self._stopping = asyncio.Event()
        self._step = Step(options.max_wait)
        self._starting: Supervised | None = None
        self._pumping: list[Supervised] = []
        self._pumps: dict[str, PartitionPump] = {}
        self._receivers: list[Supervised] = []
        self._looking: Supervised | None = None
        self._lost: set[str] = set()
        self._damaged = 0

    def start(self) -> None:
        """Begin to receive. StartError for a connection string that the SDK cannot read."""
        prepare()
        try:
            self._connect()
        except ValueError as error:
            raise StartError(f"function {self.function.name!r}: its Event Hubs connection is wrong: {error}") from None
        if not self.function.takes_many and self.function.asks_for_several:
            logger.warning(
                "%s: its trigger has no cardinality=MANY, so it is called with one event each time, here as in Azure; "
                "its annotation asks for several",
                self.function.name,
            )
        self._mark.show()
        self._looking = supervise(self._look_for_others, f"the look-out for other readers of {self.function.name}")
        self._starting = supervise(self._run, f"Event Hubs trigger {self.function.name}")

    def stop_receiving(self) -> None:
        """Deliver nothing more; batches under way go on to their checkpoint."""
        self._stopping.set()
        for pump in self._pumps.values():
            pump.wake()

    async def close(self) -> None:
        """End what still runs; a batch that is cut off is not checkpointed, one that is just done still is."""
        self.stop_receiving()
        tasks = [*self._receivers, *(task for task in (self._starting, self._looking) if task is not None)]
        pumping = (pump.stop(_CHECKPOINT_SECONDS) for pump in self._pumping)
        await asyncio.gather(*pumping, *(task.stop() for task in tasks))
        self._store.close()
        self._mark.close()

    async def _look_for_others(self) -> None:
        known: set[Reader] = set()
        while not self._stopping.is_set():
            for other in self._mark.others():
                if other not in known:
                    known.add(other)
                    logger.warning(
                        "%s: another host (process %d, data in %s) reads Event Hub %s with consumer group %s too: "
                        "hosts with data folders of their own share no partitions, both get every event",
                        self.function.name, other.pid, other.data_dir, self.source.hub, self.group,
                    )  # fmt: skip
            await asyncio.sleep(_LOOK_SECONDS)

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
                self.function,
                partition,
                context,
                self._options,
                self._invoker,
                self._store,
                self._stopping,
                self._step,
            )
            self._pumps[partition] = pump
            name = f"{self.function.name} partition {partition}"
            self._pumping.append(supervise(pump.run, f"delivery to {name}"))
            self._receivers.append(supervise(partial(self._receive, pump), f"receiving for {name}"))

    def _connect(self) -> HubConnection:
        where = f"{self.function.name}: Event Hub {self.source.hub}"
        options, source = self._options, self.source
        port = named_port(source.connection_string or "") if source.is_local else None
        lean = _lean_connection() if port is not None else None
        if port is not None and lean is not None:
            return lean(port, source.hub, self.group, prefetch=options.prefetch, where=where)
        return SdkConnection(source, self.group, prefetch=options.prefetch, max_batch=options.max_batch, where=where)

    async def _partitions(self) -> list[str]:
        attempt = 0
        while True:
            connection = self._connect()
            try:
                return await connection.partitions()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                await self._wait("all", attempt, error)
                attempt += 1
            finally:
                await connection.close()

    async def _receive(self, pump: PartitionPump) -> None:
        attempt = 0
        while not self._stopping.is_set():
            connection = self._connect()
            try:
                position = await self._position(connection, pump)
                error = await connection.receive(
                    pump.partition, position, partial(self._take, pump), partial(self._connected, pump.partition)
                )
                attempt = 0 if pump.partition not in self._lost else attempt
            except asyncio.CancelledError:
                raise
            except Exception as caught:
                error = caught
            finally:
                await asyncio.shield(connection.close())
            await self._wait(pump.partition, attempt, error)
            attempt += 1

    async def _take(self, pump: PartitionPump, events: list[ReceivedEvent]) -> None:
        for event in events:
            if event.damage:
                self._warn_of_damage(pump.partition, event)
        if self.source.is_local and pump.last_received is not None:
            self._warn_of_gap(pump.partition, pump.last_received.sequence_number, events)
        await pump.put(events)

    def _warn_of_gap(self, partition: str, last: int, events: list[ReceivedEvent]) -> None:
        """The local hub numbers without gaps: its retention overtook what is missing, or its disk damaged it."""
        fresh = [event.sequence_number for event in events if event.sequence_number > last]
        missing = fresh[-1] - last - len(fresh) if fresh else 0
        if missing > 0:
            logger.warning(
                "%s: Event Hub %s partition %s: %d event(s) are gone between numbers %d and %d; reading goes on",
                self.function.name, self.source.hub, partition, missing, last, fresh[-1],
            )  # fmt: skip

    def _warn_of_damage(self, partition: str, event: ReceivedEvent) -> None:
        self._damaged += 1
        if self._damaged > _NAMED_DAMAGE and self._damaged % _NAMED_DAMAGE:
            return
        logger.warning(
            "%s: Event Hub %s partition %s: the event at offset %s (sequence number %d) could not be read as it is "
            "(%s); what can be had of it is handed over%s",
            self.function.name, self.source.hub, partition, event.offset, event.sequence_number, event.damage,
            f"; {self._damaged} such events so far" if self._damaged >= _NAMED_DAMAGE else "",
        )  # fmt: skip

    async def _position(self, connection: HubConnection, pump: PartitionPump) -> Position:
        """After the newest event received, else after the checkpoint, else where initialOffsetOptions says."""
        known = pump.last_received or self._store.load(pump.partition)
        if known is None:
            return initial_position(self._options.initial_offset)
        found = resume(known, await connection.state(pump.partition))
        self._connected(pump.partition)
        if found.warning:
            logger.warning(
                "%s: Event Hub %s partition %s %s",
                self.function.name, self.source.hub, pump.partition, found.warning,
            )  # fmt: skip
        pump.last_received = found.after
        return found.position

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


@functools.cache
def _lean_connection() -> type[LocalConnection] | None:
    """What reads the local hub; None if its package is not the one this was written for."""
    try:
        # Imported only here: who reads no local hub needs nothing of it.
        from functions_host.eventhubs.local.connection import LocalConnection
    except (ImportError, AttributeError) as error:
        logger.warning("the local hub is read through azure-eventhub: its package is another one (%s)", error)
        return None
    return LocalConnection
