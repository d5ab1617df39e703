"""What clients ask of the engine: start, send, rewind, purge, wait. Each returns once it is committed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from functions_host.durable.core import Core
from functions_host.durable.entities import entity_instance_id
from functions_host.durable.jsontext import compact
from functions_host.durable.messages import Message, Operation, Payload
from functions_host.durable.names import Names
from functions_host.durable.options import DurableOptions
from functions_host.durable.orchestration import Conflict, Orchestration
from functions_host.durable.orchestrations import Orchestrations
from functions_host.durable.scheduler import Scheduler
from functions_host.durable.store import Commuting, Write

Stored = Callable[["BaseException | None"], None]
# Number, entity, key, operation, and the input as ``json.dumps`` writes it, or nothing.
Signal = tuple[int, str, str, str, str]
SignalsStored = Callable[[list[int], "BaseException | None"], None]


class Clients:
    """Implements the management API's TaskHub."""

    def __init__(self, core: Core, scheduler: Scheduler) -> None:
        self._core = core
        self.orchestrations = Orchestrations(core, scheduler, self._over)
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}

    @property
    def options(self) -> DurableOptions:
        return self._core.options

    @property
    def entity_names(self) -> Names:
        return self._core.entities

    def now(self) -> int:
        return self._core.clock.now()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._core.store.read(sql, parameters)

    def status_of(self, instance_id: str) -> str | None:
        live = self.orchestrations.live.get(instance_id)
        if live is not None:
            return live.status
        rows = self.read("SELECT status FROM instances WHERE instance_id=? AND kind=0", (instance_id,))
        return rows[0][0] if rows else None

    def stop(self) -> None:
        """Nobody waits any longer."""
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.cancel()

    async def start_instance(
        self,
        name: str,
        instance_id: str | None,
        input_text: str | None,
        version: str | None,
        restarted: bool = False,
    ) -> str:
        """Start an orchestration; returns its id once it is stored. Raises Conflict."""
        instance_id = instance_id or self._core.ids.hex()
        old = self.orchestrations.live.get(instance_id)
        if old is not None and not self.options.replace_running:
            raise Conflict(old.status)
        generation, replaces = 0, old is not None
        if old is None:
            rows = self._core.store.read("SELECT generation FROM instances WHERE instance_id=?", (instance_id,))
            generation, replaces = ((rows[0][0] or 0) + 1, True) if rows else (0, False)
        instance = Orchestration(
            instance_id,
            name,
            self._core.ids.hex() if restarted else self._core.ids.guid(),
            version or self.options.default_version,
            input_text,
            self._core.clock.now(),
            generation,
        )
        self.orchestrations.live.add(instance)
        try:
            await self._core.store.submit(instance.insert(replaces))
        except Exception:
            self.orchestrations.live.remove(instance)
            raise
        self.orchestrations.delivery.begin(instance)
        return instance_id

    async def send(self, instance_id: str, payload: Payload) -> None:
        """Store a message for an orchestration, then deliver it."""
        message = self._core.message(instance_id, payload)
        await self._core.store.submit([message.insert()])
        self.orchestrations.delivery.deliver(message)

    async def signal_entity(self, name: str, key: str, operation: str, input_text: str | None) -> None:
        """Store an operation nobody waits for, then deliver it. `input_text` is compact JSON text."""
        signal = Operation(self._core.ids.guid(), operation, input_text)
        message = self._core.message(entity_instance_id(name, key), signal)
        await self._core.store.submit([message.insert()])
        self.orchestrations.entities.deliver(message)

    def signal(self, name: str, key: str, operation: str, input_text: str | None, stored: Stored) -> None:
        """As signal_entity, for callers that wait otherwise; those of one turn of the loop share a transaction."""
        message = self._core.message(
            entity_instance_id(name, key), Operation(self._core.ids.guid(), operation, input_text)
        )
        self._store_signals([message], [0], lambda _, error: stored(error))

    def signal_all(self, signals: Sequence[Signal], stored: SignalsStored) -> None:
        """As signal_entity, for many, in one transaction. `stored` is called with their numbers."""
        new_message = self._core.message
        messages, numbers = [], []
        ids = self._core.ids.guids(len(signals))
        for id_, (number, name, key, operation, text) in zip(ids, signals, strict=True):
            if "\\u" in text:
                text = compact(json.loads(text))
            payload = Operation(id_, operation, text or None)
            messages.append(new_message(entity_instance_id(name, key), payload))
            numbers.append(number)
        self._store_signals(messages, numbers, stored)

    def _store_signals(self, messages: list[Message], numbers: list[int], stored: SignalsStored) -> None:
        writes = Commuting()
        for message in messages:
            writes.add(*message.insert())

        def committed(error: BaseException | None) -> None:
            if error is not None and len(messages) > 1:
                # Something in one of them is refused: it alone is to fail.
                for message, number in zip(messages, numbers, strict=True):
                    self._store_signals([message], [number], stored)
                return
            if error is None:
                for message in messages:
                    self.orchestrations.entities.deliver(message)
            stored(numbers, error)

        self._core.store.submit_then(writes, committed)

    async def terminate_unstarted(self, instance_id: str, reason: str | None) -> bool:
        """End an instance whose version keeps it from ever starting; False if it has started or will."""
        instance = self.orchestrations.live.get(instance_id)
        if instance is None or not instance.blocked or instance.episodes:
            return False
        await self.orchestrations.endings.end_unstarted(instance, reason)
        return True

    async def rewind(self, instance_id: str, reason: str | None) -> None:
        """Take back a failed instance's last failures and let it run again."""
        await self.orchestrations.rewind(instance_id, reason)

    async def purge(self, instance_ids: list[str]) -> None:
        """Delete instances and all that belongs to them."""
        writes: list[Write] = []
        for instance_id in instance_ids:
            instance = self.orchestrations.live.get(instance_id)
            if instance is not None:
                instance.status = "Purged"
                self.orchestrations.live.remove(instance)
                writes += [message.delete() for message in instance.inbox if message.seq]
                self._over(instance_id)
            writes += self.orchestrations.entities.forget(instance_id)
            writes += [
                (f"DELETE FROM {table} WHERE instance_id=?", (instance_id,))
                for table in ("instances", "inputs", "history")
            ]
        await self._core.store.submit(writes)

    async def clean_entities(self) -> int:
        """Delete entities that do not exist any more; returns how many."""
        rows = self._core.store.read("SELECT instance_id FROM instances WHERE kind=1 AND entity_exists=0")
        empty = [row[0] for row in rows if not self.orchestrations.entities.is_busy(row[0])]
        if empty:
            await self.purge(empty)
        return len(empty)

    async def wait_for_end(self, instance_id: str, seconds: float) -> None:
        """Returns when the instance is over, or after `seconds`."""
        if self.orchestrations.live.get(instance_id) is None:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(instance_id, []).append(waiter)
        await self._core.clock.wait_for(waiter, seconds)
        waiters = self._waiters.get(instance_id, [])
        if waiter in waiters:
            waiters.remove(waiter)

    def _over(self, instance_id: str) -> None:
        for waiter in self._waiters.pop(instance_id, []):
            if not waiter.done():
                waiter.set_result(None)
