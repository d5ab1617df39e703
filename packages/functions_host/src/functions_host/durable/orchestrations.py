"""Orchestrations at work: deliver, step, commit, then let the step's effects out."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable

from functions_host.durable import events as ev
from functions_host.durable import failures
from functions_host.durable import messages as msg
from functions_host.durable.activities import Activities, ActivityResult, ActivityTask
from functions_host.durable.asking import ask
from functions_host.durable.core import Core
from functions_host.durable.endings import carried_from_history, tell_parents
from functions_host.durable.entities import Entities
from functions_host.durable.facts import Fact
from functions_host.durable.instances import (
    ACTIVE,
    PENDING,
    RUNNING,
    SUSPENDED,
    Instances,
    Orchestration,
    insert_episode,
    now_seconds,
)
from functions_host.durable.jsontext import compact
from functions_host.durable.messages import Message
from functions_host.durable.planning import Effects, planned
from functions_host.durable.rewind import Rewind
from functions_host.durable.runner import WorkItemLostError
from functions_host.durable.scheduler import Scheduler
from functions_host.durable.step import (
    Arrivals,
    Outcome,
    collect,
    context_json,
)
from functions_host.durable.store import Write
from functions_host.durable.versions import accepts

logger = logging.getLogger(__name__)

_UPDATE = "UPDATE instances SET status=?, custom_status=?, output=?, updated=? WHERE instance_id=?"
_LONGEST_DEFERRAL_SECONDS = 0.1
_WORTH_DEFERRING_SECONDS = 0.002


class Orchestrations:
    """`over` is called after the commit that ends an instance."""

    def __init__(self, core: Core, scheduler: Scheduler, over: Callable[[str], None]) -> None:
        self._core = core
        self._scheduler = scheduler
        self._over = over
        self.live = Instances(core.store)
        self.activities = Activities(
            core.options.max_concurrent_activities, core.runner, core.activities, core.deaths, self._activity_finished
        )
        self.entities = Entities(core, scheduler, self.answered)

    def begin(self, instance: Orchestration) -> None:
        """A committed instance may run, if this host's version suits it and it has something to do."""
        options = self._core.options
        if not accepts(options.version_match, instance.version, options.default_version) and (
            options.version_failure == "Reject"
        ):
            instance.blocked = True
            logger.warning(
                "orchestration '%s' stays %s: %s",
                instance.instance_id,
                instance.status,
                failures.version_mismatch(
                    instance.name, instance.version, options.default_version, options.version_match
                ),
            )
            return
        if instance.has_work():
            self._scheduler.ready(instance)

    def deliver(self, message: Message) -> None:
        """A message arrives; one for an instance that is over is dropped."""
        instance = self.live.get(message.instance_id)
        if instance is None or instance.status not in ACTIVE:
            self._core.store.submit_nowait([message.delete()])
            return
        instance.inbox.append(message)
        self._wake(instance)

    def answered(self, message: Message) -> None:
        """An entity's answer arrives; one for an earlier execution of the same id is dropped."""
        instance = self.live.get(message.instance_id)
        if instance is None or instance.execution_id != message.payload["execution"]:
            self._core.store.submit_nowait([message.delete()])
            return
        self.deliver(message)

    def resume_task(self, task: ActivityTask) -> None:
        instance = self.live.get(task.instance_id)
        if instance is not None and instance.execution_id == task.execution_id:
            instance.outstanding += 1
            self.activities.add(task)

    def set_timer(self, instance_id: str, execution_id: str, number: int, due: int) -> None:
        """Of the instance as it is now; its end lets go of the timer."""
        instance = self.live.get(instance_id)
        if instance is None or instance.execution_id != execution_id:
            return

        def fire() -> None:
            instance.timers.pop(number, None)
            message = Message(0, instance_id, msg.TIMER, {"id": number, "at": self._core.clock.now()})
            instance.inbox.append(message)
            self._wake(instance)

        instance.timers[number] = self._core.timers.at(due, fire)

    def _wake(self, instance: Orchestration, may_wait: bool = False) -> None:
        if instance.blocked:
            return
        delay = min(2 * instance.step_seconds, _LONGEST_DEFERRAL_SECONDS)
        if may_wait and instance.outstanding and delay > _WORTH_DEFERRING_SECONDS:
            if not instance.deferred:
                instance.deferred = True
                asyncio.get_running_loop().call_later(delay, self._deferral_ends, instance)
            return
        self._deferral_ends(instance)

    def _deferral_ends(self, instance: Orchestration) -> None:
        instance.deferred = False
        if instance.has_work():
            self._scheduler.ready(instance)

    def _activity_finished(self, result: ActivityResult) -> None:
        task = result.task
        instance = self.live.get(task.instance_id)
        if instance is None or instance.execution_id != task.execution_id:
            return
        instance.outstanding -= 1
        payload: dict[str, object] = {"id": task.task_id, "at": self._core.clock.now()}
        if result.reason is None:
            payload["result"] = result.result
        else:
            payload["reason"], payload["details"] = result.reason, result.details
        message = self._core.message(task.instance_id, msg.TASK, payload)
        instance.inbox.append(message)
        self._wake(instance, may_wait=True)
        # Usually the instance's next step takes it up in this very turn of the loop: then nothing needs to be stored.
        self._core.store.submit_late(lambda: [] if message.consumed else [message.insert()])

    async def step(self, instance: Orchestration) -> None:
        """One episode. Nothing of it is visible before its commit."""
        begun = now_seconds()
        first = instance.episodes == 0
        continued = first and instance.status != PENDING
        parts, facts = self.live.with_history(instance)
        arrivals = collect(instance, facts)
        if not first and not arrivals.events:
            self._core.store.submit_nowait([message.delete() for message in arrivals.messages])
            self.live.idle(instance)
            return
        started = self._core.clock.now()
        opening = [ev.orchestrator_started(started)]
        if first:
            opening.append(ev.render(instance.started_event(), False))
        if continued:
            opening.append(ev.orchestrator_completed(started))
        opening += [ev.render(event, False) for event in arrivals.events]
        context = context_json(
            instance, parts, ",".join(opening), not first, self._core.options.http_sleep_milliseconds
        )
        new_facts: list[Fact] = [("start", started), *([("run",)] if first else []), *arrivals.facts]
        try:
            outcome = await ask(self._core, instance, context, [*facts, *new_facts], arrivals)
        except WorkItemLostError as lost:
            logger.warning(
                "orchestration '%s' (%s): a step is run again: %s", instance.instance_id, instance.name, lost
            )
            self._put_back(instance, arrivals)
            return
        except BaseException:
            self._put_back(instance, arrivals)
            raise
        if self.live.get(instance.instance_id) is not instance:
            # It was purged or replaced while its function ran.
            return
        now = self._core.clock.now()
        if arrivals.terminated:
            # Its function ran once more, as on the real one, but what it answered counts no longer.
            outcome.status = "Terminated"
            outcome.result = None if arrivals.termination is None else compact(arrivals.termination)
        written = [ev.orchestrator_completed(started, True)] if continued else []
        written += [ev.render(event, True) for event in arrivals.events]
        effects = planned(self._core, self.entities, self.live, instance, outcome.plans, started, now)
        written += effects.events
        new_facts += effects.facts
        if outcome.continues:
            base = len(facts) + (2 if first else 1)
            await self._continue_as_new(instance, outcome, arrivals, effects, base)
            return
        if outcome.status is not None:
            await self._end(instance, outcome, arrivals, effects, started, written, now)
            return
        written.append(ev.orchestrator_completed(now))
        self._set_suspension(instance, outcome, arrivals)
        instance.custom_status = outcome.custom_status
        status = SUSPENDED if outcome.suspended else RUNNING
        number = instance.episodes
        instance.episodes += 1
        parts.append(",".join([opening[0], *([ev.render(instance.started_event(), True)] if first else []), *written]))
        facts += new_facts
        writes: list[Write] = [
            (_UPDATE, (status, instance.custom_status, instance.output, now, instance.instance_id)),
            insert_episode(instance.instance_id, number, started, written),
            *self._deletes(instance, arrivals),
            *effects.writes,
        ]
        instance.step_seconds = now_seconds() - begun
        await self._core.store.submit(writes)
        instance.status = status
        self._let_out(instance, effects)
        self.live.idle(instance)

    def _put_back(self, instance: Orchestration, arrivals: Arrivals) -> None:
        """The step was interrupted: what it took up waits again."""
        if self.live.get(instance.instance_id) is not instance:
            return
        instance.inbox.extendleft(reversed(arrivals.messages))
        for message in arrivals.messages:
            message.consumed = False
            if message.kind == msg.TASK:
                self._core.store.submit_nowait([message.delete(), message.insert()])

    @staticmethod
    def _set_suspension(instance: Orchestration, outcome: Outcome, arrivals: Arrivals) -> None:
        if not outcome.suspended:
            instance.output = None
        elif any(fact[0] == "suspend" for fact in arrivals.facts):
            instance.output = None if arrivals.suspension is None else compact(arrivals.suspension)

    def _deletes(self, instance: Orchestration, arrivals: Arrivals) -> list[Write]:
        """What is in history now is no longer waiting."""
        return [message.delete() for message in arrivals.messages if message.seq] + [
            ("DELETE FROM tasks WHERE instance_id=? AND task_id=?", (instance.instance_id, number))
            for number in arrivals.done_tasks
        ]

    def _let_out(self, instance: Orchestration, effects: Effects) -> None:
        """After the commit: new work starts."""
        for task in effects.tasks:
            instance.outstanding += 1
            self.activities.add(task)
        for number, due in effects.timers:
            self.set_timer(instance.instance_id, instance.execution_id, number, due)
        for child in effects.children:
            self.live.add(child)
            self.begin(child)
        for operation in effects.operations:
            self.entities.deliver(operation)

    async def _end(
        self,
        instance: Orchestration,
        outcome: Outcome,
        arrivals: Arrivals,
        effects: Effects,
        started: int,
        written: list[str],
        now: int,
    ) -> None:
        status = str(outcome.status)
        result = outcome.reason if status == "Failed" else outcome.result
        if status == "Terminated":
            result = arrivals.termination
        written.append(ev.execution_completed(-1, status, result, now))
        written.append(ev.orchestrator_completed(now))
        replies = tell_parents(self._core, instance, outcome, arrivals.termination, now)
        writes: list[Write] = [
            (_UPDATE, (status, outcome.custom_status, outcome.result, now, instance.instance_id)),
            insert_episode(instance.instance_id, instance.episodes, started, written),
            ("DELETE FROM tasks WHERE instance_id=?", (instance.instance_id,)),
            *self._deletes(instance, arrivals),
            *effects.sent_writes,
            *(reply.insert() for reply in replies),
        ]
        await self._core.store.submit(writes)
        instance.status = status
        self.live.remove(instance)
        self._drop_inbox(instance)
        for operation in effects.operations:
            self.entities.deliver(operation)
        for reply in replies:
            self.answered(reply)
        self._over(instance.instance_id)

    async def _continue_as_new(
        self, instance: Orchestration, outcome: Outcome, arrivals: Arrivals, effects: Effects, base: int
    ) -> None:
        """`base`: how many facts stand before this episode's arrivals."""
        kept = [arrivals.told_by[position - base] for position in outcome.carried if position >= base]
        gone = [message for message in arrivals.messages if message not in kept]
        now = self._core.clock.now()
        again = carried_from_history(self._core, self.live, instance, outcome, base)
        successor = Orchestration(
            instance.instance_id,
            instance.name,
            uuid.uuid4().hex,
            instance.version,
            outcome.continue_input,
            now,
            None,
            instance.parent,
            RUNNING,
        )
        successor.warned = instance.warned
        writes: list[Write] = [
            *successor.insert(),
            (_UPDATE, (RUNNING, outcome.custom_status, None, now, instance.instance_id)),
            *(message.delete() for message in gone if message.seq),
            *(message.insert() for message in again),
            *effects.sent_writes,
        ]
        await self._core.store.submit(writes)
        if self.live.get(instance.instance_id) is not instance:
            # Purged or replaced meanwhile: those writes come after these.
            return
        instance.status = "ContinuedAsNew"
        self.live.add(successor)
        for message in kept:
            message.consumed = False
        successor.inbox.extend(again)
        successor.inbox.extend(kept)
        for message in instance.inbox:
            if message.kind in _FOR_ANY_EXECUTION and "execution" not in message.payload:
                successor.inbox.append(message)
            else:
                message.consumed = True
                self._core.store.submit_nowait([message.delete()])
        instance.inbox.clear()
        for operation in effects.operations:
            self.entities.deliver(operation)
        self.begin(successor)

    def _drop_inbox(self, instance: Orchestration) -> None:
        """What came while it ended, until its commit was done, reaches nobody any more."""
        for message in instance.inbox:
            message.consumed = True
            self._core.store.submit_nowait([message.delete()])
        instance.inbox.clear()

    async def end_unstarted(self, instance: Orchestration, reason: str | None) -> None:
        """Terminate an instance that has no history."""
        now = self._core.clock.now()
        result = None if reason is None else compact(reason)
        self.live.remove(instance)
        await self._core.store.submit(
            [
                (_UPDATE, ("Terminated", None, result, now, instance.instance_id)),
                *(message.delete() for message in instance.inbox if message.seq),
            ]
        )
        instance.status = "Terminated"
        self._over(instance.instance_id)

    async def rewind(self, instance_id: str, reason: str | None) -> None:
        """Let a failed instance, and the children it failed by, run again from their last failures."""
        rewind = Rewind(self._core, self.live)
        rewind.plan(instance_id, reason)
        await self._core.store.submit(rewind.writes)
        for instance in rewind.instances:
            self.live.add(instance)
            self._wake(instance)


_FOR_ANY_EXECUTION = frozenset({msg.EVENT, msg.TERMINATE, msg.SUSPEND, msg.RESUME})
