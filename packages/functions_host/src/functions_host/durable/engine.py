"""The engine: puts the parts together, takes up after a stop or a crash, and is what the host talks to."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from functions_host.durable import messages as msg
from functions_host.durable.acceleration import (
    install_executor,
    install_loopback,
    install_timestamps,
    uninstall_loopback,
)
from functions_host.durable.activities import ActivityTask
from functions_host.durable.binding import WEBHOOK_PATH, client_binding
from functions_host.durable.core import Core
from functions_host.durable.entities import Entities, Entity, entity_instance_id
from functions_host.durable.instances import Conflict, Orchestration
from functions_host.durable.lock import StoreLock
from functions_host.durable.management.router import ManagementApi
from functions_host.durable.messages import Message
from functions_host.durable.options import DurableOptions
from functions_host.durable.orchestrations import Orchestrations
from functions_host.durable.runner import FunctionRunner
from functions_host.durable.scheduler import Runnable, Scheduler
from functions_host.durable.store import Store, Write
from functions_host.durable.transport import ManagementRequest, ManagementResponse

logger = logging.getLogger(__name__)

STORE_FILE = "durable.db"


class DurableEngine:
    """See the package's docstring. `base_url` must be set before the first client_binding."""

    def __init__(self, data_dir: Path, options: DurableOptions, runner: FunctionRunner) -> None:
        self.options = options
        self.base_url = "http://127.0.0.1:7071"
        self.store = Store(Path(data_dir) / STORE_FILE, options.synchronous)
        self._lock = StoreLock(Path(data_dir) / "durable.lock")
        self.core = Core(self.store, options, runner)
        self._scheduler = Scheduler(options.max_concurrent_orchestrators, self._step)
        self.orchestrations = Orchestrations(self.core, self._scheduler, self._over)
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._api = ManagementApi(self)
        self._loopback = ""
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def entities(self) -> Entities:
        return self.orchestrations.entities

    async def start(self) -> None:
        """Open the store and go on where it stands. Raises StoreInUseError, sqlite3.Error if the file is no store."""
        self.loop = asyncio.get_running_loop()
        await self._lock.acquire()
        try:
            self.store.open()
        except Exception:
            self._lock.release()
            raise
        self.core.load()
        live = self.orchestrations.live.load()
        answered = self._load_inbox()
        self._load_tasks(answered)
        for instance in live:
            self.orchestrations.begin(instance)
        if live or answered:
            logger.info("durable: %d orchestration(s) go on", len(live))
        self.orchestrations.activities.start()
        self.core.timers.start()
        self._scheduler.start()

    async def stop(self, grace: float) -> None:
        """No new step or activity; what runs has `grace` seconds; then the store is closed."""
        self.core.timers.stop()
        await asyncio.gather(self.orchestrations.activities.stop(grace), self._scheduler.stop(grace))
        if self._loopback:
            uninstall_loopback(self._loopback)
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.cancel()
        await self.store.close()
        self.core.deaths.close()
        self._lock.release()

    def client_binding(self, task_hub: str | None, connection: str | None) -> str:
        """JSON text for a durableClient input binding."""
        return client_binding(
            self.base_url, task_hub or self.options.hub_name, connection or self.options.connection_name
        )

    def install_sdk_acceleration(self) -> None:
        """Make the SDK in this process quicker (see `acceleration`); `base_url` must be set. Undone by stop."""
        install_timestamps()
        install_executor()
        self._loopback = f"{self.base_url}{WEBHOOK_PATH}/"
        install_loopback(self._loopback, self)

    async def handle_management(self, request: ManagementRequest) -> ManagementResponse:
        """Answer one call of the management API."""
        return await self._api.handle(request)

    def health(self) -> Mapping[str, int]:
        """Figures for the host's status: what is live, what runs, what waits."""
        return {
            "orchestrations": len(self.orchestrations.live),
            "steps": self._scheduler.active,
            "stepBacklog": self._scheduler.backlog,
            "activities": self.orchestrations.activities.active,
            "activityBacklog": self.orchestrations.activities.backlog,
            "entityBacklog": self.entities.backlog,
            "timers": len(self.core.timers),
            "commits": self.store.commits,
        }

    async def start_instance(
        self, name: str, instance_id: str | None, input_text: str | None, version: str | None
    ) -> str:
        """Start an orchestration; returns its id once it is stored. Raises Conflict."""
        instance_id = instance_id or uuid.uuid4().hex
        old = self.orchestrations.live.get(instance_id)
        if old is not None and not self.options.replace_running:
            raise Conflict(old.status)
        generation = 0
        if old is None:
            rows = self.store.read("SELECT generation FROM instances WHERE instance_id=?", (instance_id,))
            generation = (rows[0][0] or 0) + 1 if rows else 0
        instance = Orchestration(
            instance_id,
            name,
            str(uuid.uuid4()),
            version or self.options.default_version,
            input_text,
            self.core.clock.now(),
            generation,
        )
        self.orchestrations.live.add(instance)
        try:
            await self.store.submit(instance.insert())
        except Exception:
            self.orchestrations.live.remove(instance)
            raise
        self.orchestrations.begin(instance)
        return instance_id

    async def send(self, message: Message) -> None:
        """Store a message for an orchestration, then deliver it."""
        await self.store.submit([message.insert()])
        self.orchestrations.deliver(message)

    async def signal_entity(self, name: str, key: str, operation: str, input_text: str | None) -> None:
        """Store an operation nobody waits for, then deliver it. `input_text` is compact JSON text."""
        message = self.entities.operation(entity_instance_id(name, key), operation, input_text, str(uuid.uuid4()))
        await self.store.submit([message.insert()])
        self.entities.deliver(message)

    async def terminate_unstarted(self, instance_id: str, reason: str | None) -> bool:
        """End an instance whose version keeps it from ever starting; False if it has started or will."""
        instance = self.orchestrations.live.get(instance_id)
        if instance is None or not instance.blocked or instance.episodes:
            return False
        await self.orchestrations.end_unstarted(instance, reason)
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
            writes += self.entities.forget(instance_id)
            writes += [
                (f"DELETE FROM {table} WHERE instance_id=?", (instance_id,))
                for table in ("instances", "inputs", "history", "tasks")
            ]
        await self.store.submit(writes)

    async def clean_entities(self) -> int:
        """Delete entities that do not exist any more; returns how many."""
        rows = self.store.read("SELECT instance_id FROM instances WHERE kind=1 AND entity_exists=0")
        empty = [row[0] for row in rows if not self.entities.is_busy(row[0])]
        if empty:
            await self.purge(empty)
        return len(empty)

    async def wait_for_end(self, instance_id: str, seconds: float) -> None:
        """Returns when the instance is over, or after `seconds`."""
        if self.orchestrations.live.get(instance_id) is None:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(instance_id, []).append(waiter)
        await asyncio.wait([waiter], timeout=seconds)
        waiters = self._waiters.get(instance_id, [])
        if waiter in waiters:
            waiters.remove(waiter)

    def _over(self, instance_id: str) -> None:
        for waiter in self._waiters.pop(instance_id, []):
            if not waiter.done():
                waiter.set_result(None)

    async def _step(self, instance: Runnable) -> None:
        if isinstance(instance, Entity):
            await self.entities.step(instance)
        elif isinstance(instance, Orchestration):
            await self.orchestrations.step(instance)

    def _load_inbox(self) -> set[tuple[str, int]]:
        """Put stored messages back; returns the tasks whose result is among them."""
        answered: set[tuple[str, int]] = set()
        stale: list[Message] = []
        for row in self.store.read("SELECT seq, instance_id, kind, payload, due FROM inbox ORDER BY seq"):
            message = Message.from_row(row)
            if message.kind == msg.OPERATION:
                self.entities.deliver(message)
                continue
            instance = self.orchestrations.live.get(message.instance_id)
            execution: Any = message.payload.get("execution")
            if instance is None or (execution is not None and execution != instance.execution_id):
                stale.append(message)
                continue
            if message.kind == msg.TASK:
                answered.add((message.instance_id, message.payload["id"]))
            instance.inbox.append(message)
        if stale:
            self.store.submit_nowait([message.delete() for message in stale])
        return answered

    def _load_tasks(self, answered: set[tuple[str, int]]) -> None:
        rows = self.store.read(
            "SELECT instance_id, execution_id, task_id, name, input, kind, due FROM tasks ORDER BY instance_id, task_id"
        )
        for instance_id, execution_id, task_id, name, input_text, kind, due in rows:
            if kind == "timer":
                self.orchestrations.set_timer(instance_id, execution_id, task_id, due)
            elif (instance_id, task_id) not in answered:
                self.orchestrations.resume_task(ActivityTask(instance_id, execution_id, task_id, name, input_text))
