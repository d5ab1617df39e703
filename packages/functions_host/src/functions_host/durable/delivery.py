"""What arrives at orchestrations: messages, results of activities, timers; and when they may take it up."""

from __future__ import annotations

import logging
from functools import partial

from functions_host.durable import failures
from functions_host.durable import messages as msg
from functions_host.durable.activities import Activities, ActivityResult, ActivityTask
from functions_host.durable.core import Core
from functions_host.durable.instances import Instances
from functions_host.durable.messages import Message
from functions_host.durable.orchestration import ACTIVE, Orchestration
from functions_host.durable.scheduler import Scheduler
from functions_host.durable.versions import accepts

logger = logging.getLogger(__name__)

# A step replays all history. So results of a fan-out wait for each other, twice as long as the last step took: then
# most of the time is the activities', however many there are.
_LONGEST_DEFERRAL_SECONDS = 1.0
_WORTH_DEFERRING_SECONDS = 0.002


class Delivery:
    """Everything that is handed over here is committed, but for results of activities: those are stored here."""

    def __init__(self, core: Core, scheduler: Scheduler, live: Instances) -> None:
        self._core = core
        self._scheduler = scheduler
        self._live = live
        self.activities = Activities(
            core.options.max_concurrent_activities, core.runner, core.activities, core.deaths, self._activity_finished
        )

    def begin(self, instance: Orchestration) -> None:
        """An instance may run, if this host's version suits it and it has something to do."""
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
        instance = self._live.get(message.instance_id)
        if instance is None or instance.status not in ACTIVE:
            self._drop(message)
            return
        instance.inbox.append(message)
        self.wake(instance)

    def answered(self, message: Message) -> None:
        """An entity's or a child's answer arrives; one for an earlier execution of the same id is dropped."""
        instance = self._live.get(message.instance_id)
        if instance is None or instance.execution_id != message.execution:
            self._drop(message)
            return
        self.deliver(message)

    def start_task(self, task: ActivityTask) -> None:
        """A committed task runs, unless its instance is another by now."""
        instance = self._live.get(task.instance_id)
        if instance is not None and instance.execution_id == task.execution_id:
            instance.outstanding += 1
            self.activities.add(task)

    def set_timer(self, instance_id: str, execution_id: str, number: int, due: int) -> None:
        """Of the instance as it is now; its end lets go of the timer."""
        instance = self._live.get(instance_id)
        if instance is None or instance.execution_id != execution_id:
            return

        def fire() -> None:
            instance.timers.pop(number, None)
            instance.inbox.append(Message(0, instance_id, msg.TimerDue(number, self._core.clock.now())))
            self.wake(instance)

        instance.timers[number] = self._core.timers.at(due, fire)

    def wake(self, instance: Orchestration, may_wait: bool = False) -> None:
        """It has something to take up; `may_wait`: more may follow soon."""
        if instance.blocked or (instance.deferred and may_wait and instance.outstanding):
            return
        delay = _deferral(instance)
        if may_wait and instance.outstanding and delay > _WORTH_DEFERRING_SECONDS:
            instance.deferred = True
            self._core.clock.call_later(delay, partial(self._look_again, instance))
        else:
            self._let_go_on(instance)

    def _look_again(self, instance: Orchestration) -> None:
        """A deferral is over, unless the last step ended only now: what it took it may take again."""
        if not instance.deferred:
            return
        delay = _deferral(instance)
        rest = delay if instance.running else delay - (self._core.clock.now() - instance.step_ended) / 1_000_000
        if instance.outstanding and rest > _WORTH_DEFERRING_SECONDS:
            self._core.clock.call_later(rest, partial(self._look_again, instance))
        else:
            self._let_go_on(instance)

    def _let_go_on(self, instance: Orchestration) -> None:
        instance.deferred = False
        if instance.has_work():
            self._scheduler.ready(instance)

    def _activity_finished(self, result: ActivityResult) -> None:
        task = result.task
        instance = self._live.get(task.instance_id)
        if instance is None or instance.execution_id != task.execution_id:
            return
        instance.outstanding -= 1
        ended = msg.TaskEnded(task.task_id, self._core.clock.now(), result.result, result.reason, result.details)
        message = self._core.message(task.instance_id, ended)
        instance.inbox.append(message)
        self.wake(instance, may_wait=True)
        # Usually the instance's next episode takes it up before that, and its history row tells of it.
        self._core.store.submit_late(lambda: [] if message.consumed else [message.insert()])

    def _drop(self, message: Message) -> None:
        self._core.store.submit_nowait([message.delete()])


def _deferral(instance: Orchestration) -> float:
    return min(2 * instance.step_seconds, _LONGEST_DEFERRAL_SECONDS)
