"""Entities: operations of one entity strictly one after another, all that wait in one call of its function."""

from __future__ import annotations

import json
import logging
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any

from functions_host.durable.core import Core
from functions_host.durable.deaths import item_key
from functions_host.durable.jsontext import compact, quote
from functions_host.durable.messages import Event, Message, Operation, Payload
from functions_host.durable.orchestration import ENTITY
from functions_host.durable.runner import UserFunctionError, WorkItemLostError
from functions_host.durable.scheduler import Scheduler
from functions_host.durable.store import Write

logger = logging.getLogger(__name__)

_SAVE = (
    "INSERT INTO instances(instance_id, kind, name, status, execution_id, created, updated, custom_status, "
    "entity_exists, entity_state) VALUES (?,?,?,'Running','',?,?,?,?,?) ON CONFLICT(instance_id) DO UPDATE SET "
    "kind=excluded.kind, name=excluded.name, status=excluded.status, created=excluded.created, "
    "updated=excluded.updated, custom_status=excluded.custom_status, output=NULL, parent=NULL, version=NULL, "
    "entity_exists=excluded.entity_exists, entity_state=excluded.entity_state"
)
_RESPONSE_TYPE = (
    '{"$type":"Microsoft.Azure.WebJobs.Extensions.DurableTask.ResponseMessage, '
    'Microsoft.Azure.WebJobs.Extensions.DurableTask","result":'
)

# Entities without work whose state is kept in memory; the others are read from the store when they get some.
KEPT_IN_MEMORY = 10_000


class Entity:
    """One entity's state in memory. `state` is JSON text, None if it was never written."""

    __slots__ = ("exists", "inbox", "instance_id", "key", "loaded", "name", "queued", "running", "state", "warned")

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        name, _, key = instance_id[1:].partition("@")
        self.name = name
        self.key = key
        self.exists = False
        self.state: str | None = None
        self.loaded = False
        self.inbox: deque[Message] = deque()
        self.queued = False
        self.running = False
        self.warned = False

    def has_work(self) -> bool:
        return bool(self.inbox) and not self.warned


def entity_instance_id(name: str, key: str) -> str:
    """``@name@key``: names in lower case, keys as they are."""
    return f"@{name.lower()}@{key}"


class Entities:
    """`answered` is called, after the commit, with the message that carries a call's answer to its caller."""

    def __init__(self, core: Core, scheduler: Scheduler, answered: Callable[[Message], None]) -> None:
        self._core = core
        self._scheduler = scheduler
        self._answered = answered
        self._known: OrderedDict[str, Entity] = OrderedDict()

    @property
    def backlog(self) -> int:
        """Operations that wait."""
        return sum(len(entity.inbox) for entity in self._known.values())

    def deliver(self, message: Message) -> None:
        """A committed message arrives, or is kept until it is due."""
        if message.due is not None and message.due > self._core.clock.now():
            self._core.timers.at(message.due, lambda: self._arrive(message))
        else:
            self._arrive(message)

    def forget(self, instance_id: str) -> list[Write]:
        """Writes that drop what waits for a purged entity."""
        entity = self._known.pop(instance_id, None)
        if entity is None:
            return []
        writes = [message.delete() for message in entity.inbox]
        entity.inbox.clear()
        return writes

    def is_busy(self, instance_id: str) -> bool:
        """Whether operations wait or run."""
        entity = self._known.get(instance_id)
        return entity is not None and (bool(entity.inbox) or entity.queued or entity.running)

    def _arrive(self, message: Message) -> None:
        entity = self._known.get(message.instance_id)
        if entity is None:
            entity = self._known[message.instance_id] = Entity(message.instance_id)
            self._shrink()
        entity.inbox.append(message)
        self._scheduler.ready(entity)

    def _shrink(self) -> None:
        while len(self._known) > KEPT_IN_MEMORY:
            oldest = next(iter(self._known.values()))
            if oldest.inbox or oldest.running or oldest.queued:
                # It is about to run, and then is no longer the oldest: looking further would cost each arrival more.
                return
            del self._known[oldest.instance_id]

    async def step(self, entity: Entity) -> None:
        """Run all that waits, store the new state, send the answers."""
        if self._known.get(entity.instance_id) is not entity:
            # It was purged since it was queued.
            return
        self._known.move_to_end(entity.instance_id)
        self._shrink()
        function = self._core.entities.find(entity.name)
        if function is None:
            self._refuse(entity)
            return
        if not entity.loaded:
            self._load(entity)
        if not entity.inbox:
            return
        item = item_key(f"e {entity.inbox[0].seq} {entity.instance_id}")
        # Of operations that were running at a death each is tried alone, so that only the one that kills is given up.
        most = 1 if self._core.deaths.suspects(item) else self._core.options.max_entity_batch
        batch = [entity.inbox.popleft() for _ in range(min(len(entity.inbox), most))]
        try:
            answer = await self._run(function, entity, batch, item)
        except WorkItemLostError as lost:
            logger.warning("entity %s: %d operation(s) are run again: %s", entity.instance_id, len(batch), lost)
            entity.inbox.extendleft(reversed(batch))
            return
        except BaseException:
            entity.inbox.extendleft(reversed(batch))
            raise
        now = self._core.clock.now()
        writes: list[Write] = []
        purged = self._known.get(entity.instance_id) is not entity
        if answer.state is not None and not purged:
            entity.exists = answer.exists
            entity.state = answer.state
            status = '{"entityExists":true}' if entity.exists else '{"entityExists":false}'
            row = (entity.instance_id, ENTITY, entity.instance_id, now, now, status, int(entity.exists), entity.state)
            writes.append((_SAVE, row))
        writes += [message.delete() for message in batch]
        replies = list(self._replies(batch, answer, now))
        writes += [reply.insert() for reply in replies]
        signals = [self._signal(signal) for signal in answer.signals]
        writes += [signal.insert() for signal in signals]
        try:
            await self._core.store.submit(writes)
        except Exception:
            entity.loaded = False
            raise
        for reply in replies:
            self._answered(reply)
        for signal in signals:
            self.deliver(signal)

    def _load(self, entity: Entity) -> None:
        rows = self._core.store.read(
            "SELECT entity_exists, entity_state FROM instances WHERE instance_id=? AND kind=1", (entity.instance_id,)
        )
        if rows:
            entity.exists, entity.state = bool(rows[0][0]), rows[0][1]
        entity.loaded = True

    def _refuse(self, entity: Entity) -> None:
        entity.warned = True
        logger.warning(
            "entity %s: the function '%s' is not registered; %d operation(s) wait until a host has it",
            entity.instance_id,
            entity.name,
            len(entity.inbox),
        )

    async def _run(self, function: str, entity: Entity, batch: list[Message], item: bytes) -> _Answer:
        context, runner = _context(entity, batch), self._core.runner
        try:
            text = await self._core.deaths.run(item, lambda: runner.run_entity(function, context, entity.instance_id))
            return _Answer(json.loads(text))
        except UserFunctionError as error:
            logger.warning("entity %s: its function broke outside an operation: %s", entity.instance_id, error)
            return _Answer.failed(f"{error.type_name}: {error.message}", len(batch))
        except WorkItemLostError:
            raise
        except BaseException as error:
            if self._core.stopping:
                raise
            logger.exception("entity %s broke off in the host", entity.instance_id)
            return _Answer.failed(f"{error}\n{traceback.format_exc()}", len(batch))

    def _replies(self, batch: list[Message], answer: _Answer, now: int) -> Iterable[Message]:
        for message, result in zip(batch, answer.results, strict=False):
            operation = message.payload
            assert isinstance(operation, Operation)
            failed = bool(result.get("isError"))
            if failed:
                logger.warning(
                    "entity %s: operation '%s' failed: %s", message.instance_id, operation.name, result.get("result")
                )
            if operation.parent is None:
                continue
            text = _RESPONSE_TYPE + quote(result.get("result")) + (',"exceptionType":"Error"}' if failed else "}")
            yield self._core.message(operation.parent, Event(operation.id, text, now, operation.execution))

    def _signal(self, signal: dict[str, Any]) -> Message:
        target = signal["target"]
        value = signal.get("input")
        operation = Operation("", str(signal["name"]), None if value is None else compact(value))
        return self._core.message(entity_instance_id(target["name"], target["key"]), operation)


class _Answer:
    """An entity function's answer. `state` None: nothing came of the call, the state stays as it was."""

    __slots__ = ("exists", "results", "signals", "state")

    def __init__(self, document: dict[str, Any]) -> None:
        self.exists = bool(document.get("entityExists"))
        state = document.get("entityState")
        self.state: str | None = "null" if state is None else state
        self.results: list[dict[str, Any]] = document.get("results") or []
        self.signals: list[dict[str, Any]] = document.get("signals") or []

    @classmethod
    def failed(cls, text: str, operations: int) -> _Answer:
        answer = cls({"results": [{"isError": True, "result": compact(text)}] * operations})
        answer.state = None
        return answer


def _context(entity: Entity, batch: list[Message]) -> str:
    operations = ",".join(_operation_json(message.payload) for message in batch)
    return (
        f'{{"self":{{"name":{quote(entity.name)},"key":{quote(entity.key)}}},'
        f'"exists":{"true" if entity.exists else "false"},"state":{quote(entity.state)},"batch":[{operations}]}}'
    )


def _operation_json(operation: Payload) -> str:
    assert isinstance(operation, Operation)
    return (
        f'{{"name":{quote(operation.name)},"input":{quote(operation.input)},'
        f'"isSignal":{"true" if operation.parent is None else "false"},"id":{quote(operation.id)}}}'
    )
