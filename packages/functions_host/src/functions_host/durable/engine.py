"""The engine: puts the parts together, takes up after a stop or a crash, and is what the host talks to."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from functions_host.clock import Clock, Ids
from functions_host.durable.acceleration import (
    install_codec,
    install_executor,
    install_loopback,
    install_timestamps,
    uninstall_loopback,
)
from functions_host.durable.activities import ActivityTask
from functions_host.durable.binding import WEBHOOK_PATH, client_binding
from functions_host.durable.clients import Clients, Signal, SignalsStored, Stored
from functions_host.durable.core import Core
from functions_host.durable.entities import Entities, Entity
from functions_host.durable.instance_ids import has_forbidden_character
from functions_host.durable.jsontext import compact, storable
from functions_host.durable.lock import StoreLock
from functions_host.durable.management.router import ManagementApi
from functions_host.durable.messages import Message, Operation, TaskEnded
from functions_host.durable.options import DurableOptions
from functions_host.durable.orchestration import Orchestration
from functions_host.durable.runner import FunctionRunner
from functions_host.durable.scheduler import Runnable, Scheduler
from functions_host.durable.store import Store
from functions_host.durable.transport import ManagementRequest, ManagementResponse

logger = logging.getLogger(__name__)

STORE_FILE = "durable.db"


class DurableEngine:
    """See the package's docstring. `base_url` must be set before the first client_binding."""

    def __init__(
        self,
        data_dir: Path,
        options: DurableOptions,
        runner: FunctionRunner,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        clock = clock or Clock()
        self.options = options
        self.base_url = "http://127.0.0.1:7071"
        self.rpc_token = ""
        self.store = Store(Path(data_dir) / STORE_FILE, options.synchronous, clock)
        self._lock = StoreLock(Path(data_dir) / "durable.lock")
        self.core = Core(self.store, options, runner, clock, ids or Ids())
        self._scheduler = Scheduler(
            options.max_concurrent_orchestrators,
            self._step,
            self.core.timers,
            self._start,
            lambda: self.entities.flush(),
        )
        self.clients = Clients(self.core, self._scheduler)
        self.orchestrations = self.clients.orchestrations
        self._api = ManagementApi(self.clients)
        self._loopback = ""
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def entities(self) -> Entities:
        return self.orchestrations.entities

    async def start(self) -> None:
        """Open the store and go on where it stands. Raises StoreInUseError, StartError for a store it cannot use."""
        self.loop = asyncio.get_running_loop()
        await self._lock.acquire()
        try:
            self.store.open()
            with self.store.damage_named():
                self.core.load()
                live = self.orchestrations.live.load()
                answered = self._load_inbox()
                self._load_tasks(answered)
        except Exception:
            self.store.abandon()
            self.core.deaths.close()
            self._lock.release()
            raise
        for instance in live:
            self.orchestrations.delivery.begin(instance)
        if live or answered:
            logger.info("durable: %d orchestration(s) go on", len(live))
        self.orchestrations.delivery.activities.start()
        self.core.timers.start()
        self._scheduler.start()

    async def stop(self, grace: float) -> None:
        """`finish`, then `close`."""
        await self.finish(grace)
        await self.close()

    async def finish(self, grace: float) -> None:
        """No new step or activity; what runs has `grace` seconds. What clients ask is stored all the same."""
        self.core.stopping = True
        self.core.timers.stop()
        await asyncio.gather(self.orchestrations.delivery.activities.stop(grace), self._scheduler.stop(grace))
        self.clients.stop()

    async def close(self) -> None:
        if self._loopback:
            uninstall_loopback(self._loopback)
        await self.store.close()
        self.core.deaths.close()
        self._lock.release()

    @property
    def rpc_base_url(self) -> str:
        """What this app's own durable clients call."""
        return f"{self.base_url}{WEBHOOK_PATH}/{self.rpc_token}{'/' if self.rpc_token else ''}"

    def client_binding(self, task_hub: str | None, connection: str | None) -> str:
        """JSON text for a durableClient input binding."""
        return client_binding(
            self.base_url,
            task_hub or self.options.hub_name,
            connection or self.options.connection_name,
            self.rpc_base_url,
        )

    def install_sdk_acceleration(self) -> None:
        """Make the SDK in this process quicker (see `acceleration`); `base_url` must be set. Undone by stop."""
        install_timestamps()
        install_executor()
        install_codec()
        self._loopback = self.rpc_base_url
        install_loopback(self._loopback, self.call)

    async def handle_management(self, request: ManagementRequest) -> ManagementResponse:
        """Answer one call of the management API."""
        return await self._api.handle(request)

    def signal(self, path: str, query: Sequence[tuple[str, str]], body: bytes, stored: Stored) -> bool:
        """Take a POST of a durable client if it is a plain signal to an entity, in fewer steps than handle_management.

        False: it is something else, or something is wrong with it. True: `stored` is called once it is committed, with
        what went wrong or None. `body`: JSON as ``json.dumps`` writes it.
        """
        kind, _, rest = path.partition("/")
        name, _, key = rest.partition("/")
        if kind != "entities" or not key or "%" in rest or has_forbidden_character(key) or not name.isidentifier():
            return False
        operation = query[0][1] if len(query) == 1 and query[0][0] == "op" else None
        if operation is None or not self.core.entities.has(name) or not storable(operation) or not storable(key):
            return False
        text = body.decode()
        if text[:1] != '"' or "\\u" in text:
            text = compact(json.loads(text)) if text else ""
        self.clients.signal(name, key, operation, text or None, stored)
        return True

    def signal_all(self, signals: Sequence[Signal], stored: SignalsStored) -> list[Signal]:
        """Take what a worker's durable clients told entities at once; returns those that it does not take, which are
        for handle_management. `stored` is called with numbers of those that are committed, or with what went wrong.

        Names, keys and operations are plain: see `functions_host.durable.acceleration.signalling`.
        """
        known = self.core.entities
        taken: list[Signal] = []
        left: list[Signal] = []
        for signal in signals:
            (taken if known.has(signal[1]) else left).append(signal)
        if taken:
            self.clients.signal_all(taken, stored)
        return left

    async def call(self, request: ManagementRequest) -> ManagementResponse:
        """As handle_management, from any event loop: a function may run on one of its own."""
        if self.loop is asyncio.get_running_loop():
            return await self._api.handle(request)
        if self.loop is None:
            raise RuntimeError("the durable engine does not run")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._api.handle(request), self.loop))

    def health(self) -> Mapping[str, int]:
        """Figures for the host's status: what is live, what runs, what waits."""
        return {
            "orchestrations": len(self.orchestrations.live),
            "steps": self._scheduler.active,
            "stepBacklog": self._scheduler.backlog,
            "activities": self.orchestrations.delivery.activities.active,
            "activityBacklog": self.orchestrations.delivery.activities.backlog,
            "entityBacklog": self.entities.backlog,
            "timers": len(self.core.timers),
            "commits": self.store.commits,
        }

    @property
    def failed_write(self) -> str | None:
        """What the last write of the store failed with, until one succeeds."""
        return self.store.failed_write

    def _step(self, instance: Runnable) -> Coroutine[Any, Any, None]:
        assert isinstance(instance, Orchestration), instance
        return self.orchestrations.step(instance)

    def _start(self, instance: Runnable) -> bool:
        if not isinstance(instance, Entity):
            return False
        self.entities.start(instance)
        return True

    def _load_inbox(self) -> set[tuple[str, int]]:
        """Put stored messages back; returns the tasks whose result is among them."""
        answered: set[tuple[str, int]] = set()
        stale: list[Message] = []
        for row in self.store.read("SELECT seq, instance_id, kind, payload, due FROM inbox ORDER BY seq"):
            message = Message.from_row(row)
            if isinstance(message.payload, Operation):
                self.entities.deliver(message)
                continue
            instance = self.orchestrations.live.get(message.instance_id)
            if instance is None or message.execution not in (None, instance.execution_id):
                stale.append(message)
                continue
            if isinstance(message.payload, TaskEnded):
                answered.add((message.instance_id, message.payload.id))
            instance.inbox.append(message)
        if stale:
            self.store.submit_nowait([message.delete() for message in stale])
        return answered

    def _load_tasks(self, answered: set[tuple[str, int]]) -> None:
        delivery = self.orchestrations.delivery
        for instance_id, scheduled in self.orchestrations.live.under_way().items():
            instance = self.orchestrations.live.get(instance_id)
            if instance is None:
                continue
            for number, one in scheduled.items():
                if one.due is not None:
                    delivery.set_timer(instance_id, instance.execution_id, number, one.due)
                elif (instance_id, number) not in answered:
                    task = ActivityTask(instance_id, instance.execution_id, number, one.name, one.input)
                    delivery.start_task(task)
