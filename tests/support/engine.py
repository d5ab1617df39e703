"""A durable engine in memory for tests: it runs the app's own orchestrator and entity through the SDK, step by step.

Time is virtual: timers cost none. What is ready is taken in the order in which it came, or, with ``choose``, in any
order. Activities run at least once: ``lose_results`` has one run again as if the process had died before its result was
kept.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import azure.durable_functions as df

import entities.drone
import orchestrators.flush_drones
import orchestrators.process_batch
import orchestrators.process_batch_v2
from pipeline.attempts import ORCHESTRATOR as STARTED
from tests.support.engine_history import Event, History, later, task_completed, task_failed, timer_fired

Activity = Callable[[Any], Awaitable[Any]]
Status: Any = df.OrchestrationRuntimeStatus
ENDED = (Status.Completed, Status.Failed, Status.Terminated)
CALL_ACTIVITY_WITH_RETRY = 1
CREATE_TIMER = 5
WHEN_ALL = 12

Handle = Callable[[str], str]
"""An orchestrator as the SDK runs it."""

ORCHESTRATORS: dict[str, Handle] = {
    "flush_drones": orchestrators.flush_drones.flush_drones._function._func,
    "process_batch": orchestrators.process_batch.process_batch._function._func,
    "process_batch_v2": orchestrators.process_batch_v2.process_batch_v2._function._func,
}
ORCHESTRATOR = ORCHESTRATORS[STARTED]
ENTITY: Callable[[str], str] = entities.drone.drone._function._func


@dataclass
class Call:
    """A call with retries: which try it is in, and the event it waits for."""

    name: str
    argument: Any
    tries: int = 1
    interval_ms: int = 0
    max_tries: int = 1


@dataclass
class Instance:
    history: History
    status: Any
    created: datetime
    updated: datetime
    output: Any = None
    custom_status: Any = None
    scheduled: int = 0  # actions of the cumulative list that are under way or done
    # Event id of a task or timer -> its call; None for a timer of the orchestrator's own.
    waiting: dict[int, Call | None] = field(default_factory=dict)
    contexts: list[str] = field(default_factory=list)  # every text that Python was handed
    answers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ready:
    """Something that may happen now: an orchestrator's episode, an activity, a timer or an entity's batch."""

    kind: str
    key: str
    number: int = -1
    event: Event | None = None
    fire_at: datetime | None = None
    created: datetime | None = None


class Engine:
    def __init__(
        self,
        activities: dict[str, Activity],
        *,
        orchestrators: Mapping[str, Handle] = ORCHESTRATORS,
        choose: Callable[[int], int] = lambda number: 0,
        lose_results: Callable[[], bool] = lambda: False,
        now: datetime | None = None,
    ) -> None:
        self.activities = activities
        self.now = now or datetime.now(timezone.utc)
        self.instances: dict[str, Instance] = {}
        self.entities: dict[str, str | None] = {}
        self.ready: list[Ready] = []
        self.signals: dict[str, list[dict[str, Any]]] = {}
        self.signalled: Counter[str] = Counter()
        self.client = Client(self)
        self._orchestrators = orchestrators
        self._choose = choose
        self._lose_results = lose_results

    def start(self, name: str, instance_id: str, argument: Any) -> None:
        there = self.instances.get(instance_id)
        if there is not None and there.status not in ENDED:
            raise Exception(
                {"Message": f"An Orchestration instance with the status {there.status.value} already exists."}
            )
        assert name in self._orchestrators
        history = History(name, instance_id, argument, self.now)
        self.instances[instance_id] = Instance(history, Status.Pending, self.now, self.now)
        self.ready.append(Ready("episode", instance_id))

    def signal(self, key: str, operation: str, text: str | None) -> None:
        self.signalled[key] += 1
        self.signals.setdefault(key, []).append({"name": operation, "input": text, "isSignal": True, "id": "0"})
        if not any(item.kind == "entity" and item.key == key for item in self.ready):
            self.ready.append(Ready("entity", key))

    async def run(self, steps: int = 1_000_000) -> None:
        """Until nothing is left to do, or so many steps."""
        while self.ready and steps:
            steps -= 1
            await self.step()

    async def run_side_by_side(self, workers: int) -> None:
        """Until nothing is left to do, so many steps at once: activities interleave wherever they wait."""

        async def work() -> None:
            while self.ready:
                await self.step()
                await asyncio.sleep(0)

        while self.ready:
            await asyncio.gather(*(work() for _ in range(workers)))

    async def step(self) -> None:
        self.now += timedelta(milliseconds=1)
        item = self.ready.pop(self._choose(len(self.ready)))
        if item.kind == "entity":
            self._run_entity(item.key)
            return
        instance = self.instances.get(item.key)
        if instance is None or instance.status in ENDED:
            return
        if item.kind == "activity":
            await self._run_activity(item, instance)
        elif item.kind == "timer":
            assert item.fire_at is not None
            assert item.created is not None
            self.now = max(self.now, item.fire_at)
            self._episode(item.key, instance, [timer_fired(item.number, item.fire_at, item.created)])
        elif item.event is None or item.event["TaskScheduledId"] in instance.waiting:
            self._episode(item.key, instance, [item.event] if item.event else [])

    async def _run_activity(self, item: Ready, instance: Instance) -> None:
        call = instance.waiting.get(item.number)
        if call is None:
            return  # it ran twice, and the other result has come first
        try:
            result = json.loads(json.dumps(await self.activities[call.name](json.loads(call.argument))))
            event = task_completed(item.number, result, self.now)
        except Exception as error:
            event = task_failed(item.number, call.name, error, self.now)
        except BaseException:
            self.ready.append(item)  # the process has died; the engine still has the task
            raise
        if self.instances.get(item.key) is not instance or item.number not in instance.waiting:
            return
        if self._lose_results():
            self.ready.append(item)
            return
        self.ready.append(Ready("episode", item.key, event=event))

    def _episode(self, key: str, instance: Instance, incoming: list[Event]) -> None:
        history = instance.history
        history.begin_episode(self.now, incoming)
        instance.updated = self.now
        instance.status = Status.Running
        context = history.context()
        instance.contexts.append(context)
        try:
            answer = json.loads(self._orchestrators[history.name](context))
        except Exception as error:
            message, _, state = str(error).partition("\n\n$OutOfProcData$:")
            instance.status, instance.output = Status.Failed, message
            instance.answers.append(str(error))
            instance.custom_status = json.loads(state).get("customStatus")
            return
        instance.answers.append(json.dumps(answer))
        instance.custom_status = answer.get("customStatus")
        if answer["isDone"]:
            instance.status, instance.output = Status.Completed, answer.get("output")
            return
        self._carry_out(key, instance, answer, incoming)
        history.end_episode(self.now)

    def _carry_out(self, key: str, instance: Instance, answer: Any, incoming: list[Event]) -> None:
        for event in incoming:
            if "TimerId" in event:
                call = instance.waiting.pop(event["TimerId"])
                if call is not None and call.tries < call.max_tries:
                    call.tries += 1
                    self._schedule(key, instance, call)
                continue
            call = instance.waiting.pop(event["TaskScheduledId"])
            if "Reason" in event:
                assert call is not None
                # One more timer follows the last try too, and fires at once: the SDK waits for it before it raises.
                delay = call.interval_ms if call.tries < call.max_tries else 0
                self._sleep(key, instance, call, later(self.now, delay))
        flat = list(_flat(answer["actions"]))
        for action in flat[instance.scheduled :]:
            if action["actionType"] == CREATE_TIMER:
                fire_at = datetime.strptime(action["fireAt"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
                self._sleep(key, instance, None, fire_at)
                continue
            assert action["actionType"] == CALL_ACTIVITY_WITH_RETRY, action
            options = action["retryOptions"]
            call = Call(
                action["functionName"],
                action["input"],
                interval_ms=options["firstRetryIntervalInMilliseconds"],
                max_tries=options["maxNumberOfAttempts"],
            )
            self._schedule(key, instance, call)
        instance.scheduled = len(flat)

    def _sleep(self, key: str, instance: Instance, call: Call | None, fire_at: datetime) -> None:
        number = instance.history.create_timer(fire_at, self.now)
        instance.waiting[number] = call
        self.ready.append(Ready("timer", key, number, fire_at=fire_at, created=self.now))

    def _schedule(self, key: str, instance: Instance, call: Call) -> None:
        number = instance.history.schedule_task(call.name, self.now)
        instance.waiting[number] = call
        self.ready.append(Ready("activity", key, number))

    def _run_entity(self, key: str) -> None:
        batch = self.signals.pop(key, [])
        state = self.entities.get(key)
        context = {
            "self": {"name": "drone", "key": key},
            "exists": key in self.entities,
            "state": state,
            "batch": batch,
        }
        answer = json.loads(ENTITY(json.dumps(context)))
        if answer["entityExists"]:
            self.entities[key] = answer["entityState"]

    def status(self, instance_id: str) -> Any:
        instance = self.instances.get(instance_id)
        if instance is None:
            return _FalseStatus()
        return SimpleNamespace(
            instance_id=instance_id,
            runtime_status=instance.status,
            created_time=instance.created,
            last_updated_time=instance.updated,
            custom_status=instance.custom_status,
            output=instance.output,
        )


def signal_text(value: Any) -> str:
    """A signal's input as an entity is handed it: the client posts JSON text as a JSON string, and it stays one."""
    return json.dumps(json.dumps(value))


class _FalseStatus:
    """What the SDK gives for an instance that is not there."""

    def __bool__(self) -> bool:
        return False


class Client:
    """The part of the durable client that the app uses, over the engine. Arguments pass through JSON, as there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def start_new(
        self, orchestration_function_name: str, instance_id: str | None = None, client_input: Any = None
    ) -> str:
        assert instance_id is not None
        self._engine.start(orchestration_function_name, instance_id, json.loads(json.dumps(client_input)))
        return instance_id

    async def get_status(self, instance_id: str) -> Any:
        return self._engine.status(instance_id)

    async def get_status_by(
        self,
        created_time_from: Any = None,
        created_time_to: Any = None,
        runtime_status: Any = None,
        instance_id_prefix: str | None = None,
    ) -> list[Any]:
        found = [self._engine.status(instance_id) for instance_id in sorted(self._engine.instances)]
        return [
            status
            for status in found
            if (created_time_to is None or status.created_time <= created_time_to)
            and (runtime_status is None or status.runtime_status in runtime_status)
            and status.instance_id.startswith(instance_id_prefix or "")
        ]

    async def signal_entity(self, entityId: Any, operation_name: str, operation_input: Any = None) -> None:
        self._engine.signal(entityId.key, operation_name, signal_text(operation_input) if operation_input else None)

    async def terminate(self, instance_id: str, reason: str) -> None:
        instance = self._engine.instances.get(instance_id)
        if instance is None:
            raise Exception(f"No instance with ID '{instance_id}' found.")
        if instance.status not in ENDED:
            instance.status, instance.output, instance.updated = Status.Terminated, reason, self._engine.now

    async def purge_instance_history(self, instance_id: str) -> Any:
        instance = self._engine.instances.get(instance_id)
        if instance is None:
            return SimpleNamespace(instances_deleted=0)
        if instance.status not in ENDED:
            raise Exception("The operation failed with an unexpected status code 412")
        del self._engine.instances[instance_id]
        return SimpleNamespace(instances_deleted=1)


def _flat(actions: Any) -> Any:
    for action in actions:
        if isinstance(action, list):
            yield from _flat(action)
        elif action["actionType"] == WHEN_ALL:
            yield from _flat(action["compoundActions"])
        else:
            yield action
