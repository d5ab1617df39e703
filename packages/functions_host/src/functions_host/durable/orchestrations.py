"""Orchestrations at work: take up what arrived, run the function, commit, then let the episode's effects out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from functions_host.durable import events as ev
from functions_host.durable.arrivals import Arrivals, collect
from functions_host.durable.asking import NoAnswerError, ask
from functions_host.durable.core import Core
from functions_host.durable.decision import Outcome, decide, failed
from functions_host.durable.delivery import Delivery
from functions_host.durable.effects import Effects, Scheduling
from functions_host.durable.ending import UPDATE, Endings, taken_up
from functions_host.durable.entities import Entities
from functions_host.durable.episode import Episode
from functions_host.durable.instances import Instances, insert_episode
from functions_host.durable.jsontext import compact
from functions_host.durable.messages import Message, TaskEnded
from functions_host.durable.orchestration import RUNNING, SUSPENDED, Orchestration
from functions_host.durable.replay import Replay
from functions_host.durable.rewind import Rewind
from functions_host.durable.runner import WorkItemLostError
from functions_host.durable.scheduler import Scheduler
from functions_host.durable.store import Write

logger = logging.getLogger(__name__)


class Orchestrations:
    """`over` is called after the commit that ends an instance."""

    def __init__(self, core: Core, scheduler: Scheduler, over: Callable[[str], None]) -> None:
        self._core = core
        self.live = Instances(core.store)
        self.delivery = Delivery(core, scheduler, self.live)
        self.entities = Entities(core, scheduler, self.delivery.answered)
        self.endings = Endings(core, self.live, self.delivery, self.entities, over)

    async def step(self, instance: Orchestration) -> None:
        """One episode. Nothing of it is visible before its commit."""
        begun = time.perf_counter()
        history = self.live.history(instance)
        arrivals = collect(self._take_all(instance), history.open)
        if instance.episodes and not arrivals.events:
            self._core.store.submit_nowait([message.delete() for message in arrivals.messages])
            self.live.idle(instance)
            return
        episode = Episode(instance, history, arrivals, self._core.clock.now())
        try:
            outcome = await self._outcome(episode)
        except WorkItemLostError as lost:
            logger.warning("orchestration '%s': a step is run again: %s", instance.instance_id, lost)
            self._put_back(instance, arrivals)
            return
        except BaseException:
            self._put_back(instance, arrivals)
            raise
        if not self.live.holds(instance):
            # It was purged or replaced while its function ran.
            return
        now = self._core.clock.now()
        effects = self._work_out(episode, outcome, now)
        self._tell(instance, outcome)
        written = episode.written() + effects.events
        if outcome.continues:
            await self.endings.continue_as_new(episode, outcome, effects)
        elif outcome.status is not None:
            await self.endings.end(episode, outcome, effects, written, now)
        else:
            await self._go_on(episode, outcome, effects, written, now, begun)

    async def rewind(self, instance_id: str, reason: str | None) -> None:
        """Let a failed instance, and the children it failed by, run again from their last failures."""
        rewind = Rewind(self._core)
        rewind.plan(instance_id, reason)
        await self._core.store.submit(rewind.writes)
        for instance in rewind.instances:
            self.live.add(instance)
            self.delivery.wake(instance)

    async def _outcome(self, episode: Episode) -> Outcome:
        instance, core = episode.instance, self._core
        termination = episode.arrivals.termination
        try:
            state = await ask(core, instance, episode.context(core.options.http_sleep_milliseconds))
        except NoAnswerError as error:
            return failed(instance, str(error)) if termination is None else Outcome().terminate(termination.reason)
        if termination is not None:
            custom_status = None if state.custom_status is None else compact(state.custom_status)
            return Outcome(custom_status=custom_status).terminate(termination.reason)
        replay, episode.history.replay = episode.history.replay, None
        if replay is None or not replay.suits(state.actions):
            replay = Replay(instance.instance_id, instance.execution_id, core.registry)
        episode.replay = replay
        facts = episode.facts_after(replay.seen)
        return decide(instance, state, replay, facts, self._ancestors(instance), bool(instance.inbox))

    def _work_out(self, episode: Episode, outcome: Outcome, now: int) -> Effects:
        if not outcome.scheduled:
            return Effects()
        scheduling = Scheduling(self._core, self.live, episode.instance, episode.started, now)
        try:
            return scheduling.work_out(outcome.scheduled)
        except Exception as error:
            outcome.fail_for_actions(episode.instance, error)
            return Effects()

    def _ancestors(self, instance: Orchestration) -> list[str]:
        """The instance and those that wait for it, one through another."""
        ids = [instance.instance_id]
        parent = instance.parent
        while parent is not None and parent.instance_id not in ids:
            ids.append(parent.instance_id)
            caller = self.live.get(parent.instance_id)
            parent = caller.parent if caller is not None and caller.execution_id == parent.execution_id else None
        return ids

    async def _go_on(
        self, episode: Episode, outcome: Outcome, effects: Effects, written: list[str], now: int, begun: float
    ) -> None:
        instance, history = episode.instance, episode.history
        written = [*written, ev.orchestrator_completed(now)]
        if not outcome.suspended:
            instance.output = None
        elif (suspension := episode.arrivals.suspension) is not None:
            instance.output = None if suspension.reason is None else compact(suspension.reason)
        instance.custom_status = outcome.custom_status
        status = SUSPENDED if outcome.suspended else RUNNING
        instance.episodes += 1
        history.parts.append(episode.remembered(written))
        history.extend(episode.facts)
        history.extend(effects.facts)
        history.replay = episode.replay
        scheduled = f"[{','.join(effects.scheduled)}]" if effects.scheduled else None
        ended = f"[{','.join(map(str, episode.arrivals.done_tasks))}]" if episode.arrivals.done_tasks else None
        row = (instance.instance_id, episode.number, episode.started, ",".join(written), scheduled, ended)
        writes: list[Write] = [insert_episode(*row), *taken_up(episode), *effects.writes]
        standing = (status, instance.custom_status, instance.output)
        if instance.stored != standing:
            instance.stored = standing
            writes.append((UPDATE, (*standing, now, instance.instance_id)))
        instance.step_seconds = time.perf_counter() - begun
        await self._core.store.submit(writes)
        instance.step_ended = self._core.clock.now()
        instance.status = status
        self._let_out(instance, effects)
        self.live.idle(instance)

    def _let_out(self, instance: Orchestration, effects: Effects) -> None:
        """After the commit: new work starts. Entities first: what follows from an activity takes their time."""
        for operation in effects.operations:
            self.entities.deliver(operation)
        for task in effects.tasks:
            instance.outstanding += 1
            self.delivery.activities.add(task)
        for timer in effects.timers:
            self.delivery.set_timer(instance.instance_id, instance.execution_id, timer.id, timer.due)
        for child in effects.children:
            self.live.add(child)
            self.delivery.begin(child)

    @staticmethod
    def _take_all(instance: Orchestration) -> list[Message]:
        taken = list(instance.inbox)
        instance.inbox.clear()
        for message in taken:
            message.consumed = True
        return taken

    def _put_back(self, instance: Orchestration, arrivals: Arrivals) -> None:
        """The episode was interrupted: what it took up waits again."""
        if not self.live.holds(instance):
            return
        instance.inbox.extendleft(reversed(arrivals.messages))
        for message in arrivals.messages:
            message.consumed = False
            if isinstance(message.payload, TaskEnded):
                self._core.store.submit_nowait([message.delete(), message.insert()])

    @staticmethod
    def _tell(instance: Orchestration, outcome: Outcome) -> None:
        for finding in outcome.findings:
            if finding.key is None or finding.key not in instance.warned:
                logger.warning("orchestration '%s' (%s): %s", instance.instance_id, instance.name, finding.text)
            if finding.key is not None:
                instance.warned.add(finding.key)
