"""Entities: operations of one entity strictly one after another, all that wait in one call of its function."""

from __future__ import annotations

import logging
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from functions_host.durable.core import Core
from functions_host.durable.deaths import item_key
from functions_host.durable.entity_calls import EntityAnswer, EntityCall
from functions_host.durable.jsontext import compact, quote
from functions_host.durable.messages import DELETE, Event, Message, Operation
from functions_host.durable.orchestration import ENTITY
from functions_host.durable.runner import EntityFinished, UserFunctionError, WorkItemLostError
from functions_host.durable.scheduler import Scheduler
from functions_host.durable.store import Commuting, Write

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

_EXISTS, _EXISTS_NOT = '{"entityExists":true}', '{"entityExists":false}'

# Entities without work whose state is kept in memory; the others are read from the store when they get some.
KEPT_IN_MEMORY = 10_000


class Entity:
    """One entity's state in memory. `state` is JSON text, None if it was never written."""

    weight = 1

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
        # Turns that begin at the next `flush`, by function.
        self._starting: dict[str, list[_Turn]] = {}
        # Turns that are over and not yet taken by the store, and their writes.
        self._turns: list[_Turn] = []
        self._writes = Commuting()
        self._writes.taken = True

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

    def start(self, entity: Entity) -> None:
        """Run all that waits, with those of other entities, at `flush`. The scheduler is told that it has ended when
        the new state is stored and the answers are sent, or why not."""
        try:
            function = self._core.entities.find(entity.name)
            batch = self._take(entity, function is not None)
        except Exception as error:
            self._scheduler.ended(entity, error)
            return
        if not batch or function is None:
            self._scheduler.ended(entity)
            return
        turn = _Turn(self, entity, batch)
        deaths = self._core.deaths
        if deaths.suspects(turn.item):
            deaths.start(turn.item, lambda ended: self._run_alone(function, turn, ended), turn.ended)
            return
        turn.slot = deaths.enter(turn.item)
        self._starting.setdefault(function, []).append(turn)

    def flush(self) -> None:
        """Run what was started since."""
        starting, self._starting = self._starting, {}
        for function, turns in starting.items():
            try:
                calls = [(turn.call(), turn.finished) for turn in turns]
                self._core.runner.start_entities(function, calls, self._core.options.max_concurrent_orchestrators)
            except Exception as error:
                for turn in turns:
                    turn.finished(None, error)

    def _run_alone(self, function: str, turn: _Turn, ended: EntityFinished) -> None:
        self._core.runner.start_entities(
            function, [(turn.call(), ended)], self._core.options.max_concurrent_orchestrators
        )

    def _take(self, entity: Entity, registered: bool) -> list[Message]:
        """What is to run now, out of its inbox."""
        if self._known.get(entity.instance_id) is not entity:
            # It was purged since it was queued.
            return []
        self._known.move_to_end(entity.instance_id)
        self._shrink()
        if not registered:
            self._refuse(entity)
            return []
        if not entity.loaded:
            self._load(entity)
        inbox = entity.inbox
        if len(inbox) < 2:
            return [inbox.popleft()] if inbox else []
        # Of operations that were running at a death each is tried alone, so that only the one that kills is given up.
        suspect = self._core.deaths.suspects(_item(entity, inbox[0]))
        most = 1 if suspect else self._core.options.max_entity_batch
        return [inbox.popleft() for _ in range(min(len(inbox), most))]

    def finished(self, turn: _Turn, answer: EntityAnswer | None, error: BaseException | None) -> None:
        """What came of a turn, or why nothing did."""
        try:
            if answer is None:
                answer = self._without_answer(turn.entity, turn.batch, error)
            if answer is None:
                turn.entity.inbox.extendleft(reversed(turn.batch))
                self._scheduler.ended(turn.entity)
            else:
                self._store(turn, answer)
        except Exception as broke_off:
            self._scheduler.ended(turn.entity, broke_off)

    def lost(self, turn: _Turn, error: WorkItemLostError) -> BaseException:
        """What ran the turn died: counts it. The error that is told instead, when it is not to run again."""
        return self._core.deaths.lost(turn.item, error)

    def left(self, turn: _Turn) -> None:
        self._core.deaths.leave(turn.slot)

    def _without_answer(self, entity: Entity, batch: list[Message], error: BaseException | None) -> EntityAnswer | None:
        """What takes the answer's place; None: the operations are to run again."""
        if isinstance(error, WorkItemLostError):
            logger.warning("entity %s: %d operation(s) are run again: %s", entity.instance_id, len(batch), error)
            return None
        if isinstance(error, UserFunctionError):
            logger.warning("entity %s: its function broke outside an operation: %s", entity.instance_id, error)
            return EntityAnswer.failed(f"{error.type_name}: {error.message}", len(batch))
        if self._core.stopping:
            return None
        logger.error("entity %s broke off in the host", entity.instance_id, exc_info=error)
        stack = "" if error is None else "".join(traceback.format_exception(error))
        return EntityAnswer.failed(f"{error}\n{stack}", len(batch))

    def _store(self, turn: _Turn, answer: EntityAnswer) -> None:
        entity, batch = turn.entity, turn.batch
        now = self._core.clock.now()
        if answer.state is not None and self._known.get(entity.instance_id) is entity:
            entity.exists = answer.exists
            entity.state = answer.state
            turn.row = (
                entity.instance_id, ENTITY, entity.instance_id, now, now,
                _EXISTS if entity.exists else _EXISTS_NOT, int(entity.exists), entity.state,
            )  # fmt: skip
        turn.replies = self._replies(batch, answer, now)
        turn.signals = [self._signal(signal) for signal in answer.signals] if answer.signals else []
        if self._writes.taken:
            self._writes, turns = Commuting(), [turn]
            self._turns = turns
            self._core.store.submit_then(self._writes, lambda error: self._stored(turns, error))
        else:
            self._turns.append(turn)
        turn.write(self._writes)

    def _stored(self, turns: list[_Turn], error: BaseException | None) -> None:
        if error is None:
            for turn in turns:
                self._over(turn)
        elif len(turns) == 1:
            entity = turns[0].entity
            entity.loaded = False
            self._scheduler.ended(entity, error)
        else:
            # Something in one of them is refused: it alone is to fail.
            for turn in turns:
                self._write_alone(turn)

    def _write_alone(self, turn: _Turn) -> None:
        writes = Commuting()
        turn.write(writes)
        self._core.store.submit_then(writes, lambda error: self._stored([turn], error))

    def _over(self, turn: _Turn) -> None:
        for reply in turn.replies:
            self._answered(reply)
        for signal in turn.signals:
            self.deliver(signal)
        self._scheduler.ended(turn.entity)

    def _load(self, entity: Entity) -> None:
        rows = self._core.store.read(
            "SELECT entity_exists, entity_state FROM instances WHERE instance_id=? AND kind=1", (entity.instance_id,)
        )
        # What a turn left in memory whose commit failed is not the entity's.
        entity.exists, entity.state = (bool(rows[0][0]), rows[0][1]) if rows else (False, None)
        entity.loaded = True

    def _refuse(self, entity: Entity) -> None:
        entity.warned = True
        logger.warning(
            "entity %s: the function '%s' is not registered; %d operation(s) wait until a host has it",
            entity.instance_id,
            entity.name,
            len(entity.inbox),
        )

    def _replies(self, batch: list[Message], answer: EntityAnswer, now: int) -> list[Message]:
        replies: list[Message] = []
        for message, (failed, text) in zip(batch, answer.results, strict=False):
            operation = message.payload
            assert isinstance(operation, Operation)
            if failed:
                logger.warning("entity %s: operation '%s' failed: %s", message.instance_id, operation.name, text)
            if operation.parent is None:
                continue
            text = _RESPONSE_TYPE + quote(text) + (',"exceptionType":"Error"}' if failed else "}")
            replies.append(self._core.message(operation.parent, Event(operation.id, text, now, operation.execution)))
        return replies

    def _signal(self, signal: dict[str, Any]) -> Message:
        target = signal["target"]
        value = signal.get("input")
        operation = Operation("", str(signal["name"]), None if value is None else compact(value))
        return self._core.message(entity_instance_id(target["name"], target["key"]), operation)


class _Turn:
    """One call of an entity's function, from its start to the commit of what came of it."""

    __slots__ = ("_entities", "batch", "entity", "item", "replies", "row", "signals", "slot")

    def __init__(self, entities: Entities, entity: Entity, batch: list[Message]) -> None:
        self._entities = entities
        self.entity = entity
        self.batch = batch
        self.item = _item(entity, batch[0])
        self.slot = -1
        # What is to be stored: the entity's row, None if it stays as it is, and messages.
        self.row: tuple[Any, ...] | None = None
        self.replies: list[Message] = []
        self.signals: list[Message] = []

    def call(self) -> EntityCall:
        entity = self.entity
        return EntityCall(entity.name, entity.key, entity.exists, entity.state, tuple(map(_operation, self.batch)))

    def finished(self, answer: EntityAnswer | None, error: BaseException | None) -> None:
        """The function's call is over."""
        self._entities.left(self)
        if isinstance(error, WorkItemLostError):
            error = self._entities.lost(self, error)
        self._entities.finished(self, answer, error)

    def ended(self, answer: EntityAnswer | None, error: BaseException | None) -> None:
        """As `finished`, of one that was not noted as running."""
        self._entities.finished(self, answer, error)

    def write(self, writes: Commuting) -> None:
        if self.row is not None:
            writes.add(_SAVE, self.row)
        writes.add(DELETE, *[(message.seq,) for message in self.batch])
        for message in (*self.replies, *self.signals):
            writes.add(*message.insert())


def _item(entity: Entity, first: Message) -> bytes:
    return item_key(f"e {first.seq} {entity.instance_id}")


def _operation(message: Message) -> tuple[str, str, str | None, bool]:
    operation = message.payload
    assert isinstance(operation, Operation)
    return operation.id, operation.name, operation.input, operation.parent is None
