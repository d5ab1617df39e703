"""How an orchestration ends: with a result, as its own successor, or before it began."""

from __future__ import annotations

import json
from collections.abc import Callable

from functions_host.durable import events as ev
from functions_host.durable import failures
from functions_host.durable import messages as msg
from functions_host.durable.clock import parse
from functions_host.durable.core import Core
from functions_host.durable.decision import Outcome
from functions_host.durable.delivery import Delivery
from functions_host.durable.effects import Effects
from functions_host.durable.entities import Entities
from functions_host.durable.episode import Episode
from functions_host.durable.facts import SCHEDULED, EventRaised
from functions_host.durable.instances import Instances, insert_episode
from functions_host.durable.jsontext import compact
from functions_host.durable.messages import Message
from functions_host.durable.orchestration import COMPLETED, FAILED, RUNNING, TERMINATED, Orchestration
from functions_host.durable.store import Write

UPDATE = "UPDATE instances SET status=?, custom_status=?, output=?, updated=? WHERE instance_id=?"


class Endings:
    """`over` is called after the commit that ends an instance."""

    def __init__(
        self, core: Core, live: Instances, delivery: Delivery, entities: Entities, over: Callable[[str], None]
    ) -> None:
        self._core = core
        self._live = live
        self._delivery = delivery
        self._entities = entities
        self._over = over

    async def end(self, episode: Episode, outcome: Outcome, effects: Effects, written: list[str], now: int) -> None:
        """The instance is over: write its last episode, notify its parents."""
        instance, status = episode.instance, str(outcome.status)
        termination = episode.arrivals.termination
        result = outcome.reason if status == FAILED else outcome.result
        if status == TERMINATED:
            result = termination.reason if termination else None
        written = [
            *written,
            ev.execution_completed(_next_id(episode, effects), status, result, now),
            ev.orchestrator_completed(now),
        ]
        # Only a failed one can go on, by a rewind: what was open then is not taken up again.
        ended = compact(list(episode.history.open)) if status == FAILED and episode.history.open else None
        replies = self._notify_parents(instance, outcome, termination, now)
        writes: list[Write] = [
            (UPDATE, (status, outcome.custom_status, outcome.result, now, instance.instance_id)),
            insert_episode(instance.instance_id, episode.number, episode.started, ",".join(written), None, ended),
            *taken_up(episode),
            *effects.writes,
            *(reply.insert() for reply in replies),
        ]
        await self._core.store.submit(writes)
        instance.status = status
        self._live.remove(instance)
        self._drop_inbox(instance)
        for operation in effects.operations:
            self._entities.deliver(operation)
        for reply in replies:
            self._delivery.answered(reply)
        self._over(instance.instance_id)

    async def continue_as_new(self, episode: Episode, outcome: Outcome, effects: Effects) -> None:
        """A successor takes the instance's place, with what had arrived and was not waited for yet."""
        instance, arrivals, base = episode.instance, episode.arrivals, episode.base
        kept = [arrivals.told_by[position - base] for position in outcome.carried if position >= base]
        gone = [message for message in arrivals.messages if message not in kept]
        now = self._core.clock.now()
        again = self._carried_from_history(episode, [position for position in outcome.carried if position < base])
        successor = Orchestration(
            instance.instance_id,
            instance.name,
            self._core.ids.hex(),
            instance.version,
            outcome.continue_input,
            now,
            None,
            instance.parent,
            RUNNING,
        )
        successor.warned = instance.warned
        writes: list[Write] = [
            *successor.insert(replaces=True),
            (UPDATE, (RUNNING, outcome.custom_status, None, now, instance.instance_id)),
            *(message.delete() for message in gone if message.stored),
            *(message.insert() for message in again),
            *effects.writes,
        ]
        await self._core.store.submit(writes)
        if not self._live.holds(instance):
            # Purged or replaced meanwhile: those writes come after these.
            return
        instance.status = "ContinuedAsNew"
        self._live.add(successor)
        for message in kept:
            message.consumed = False
        successor.inbox.extend(again)
        successor.inbox.extend(kept)
        self._hand_over_inbox(instance, successor)
        for operation in effects.operations:
            self._entities.deliver(operation)
        self._delivery.begin(successor)

    async def end_unstarted(self, instance: Orchestration, reason: str | None) -> None:
        """Terminate an instance that has no history."""
        now = self._core.clock.now()
        result = None if reason is None else compact(reason)
        self._live.remove(instance)
        await self._core.store.submit(
            [
                (UPDATE, (TERMINATED, None, result, now, instance.instance_id)),
                *(message.delete() for message in instance.inbox if message.stored),
            ]
        )
        instance.status = TERMINATED
        self._over(instance.instance_id)

    def _notify_parents(
        self, instance: Orchestration, outcome: Outcome, termination: msg.Terminate | None, now: int
    ) -> list[Message]:
        replies = []
        parent = instance.parent
        while parent is not None:
            ended = msg.SubEnded(parent.task_id, now, parent.execution_id)
            if outcome.status == COMPLETED:
                ended = ended._replace(result=outcome.result)
            elif outcome.status == FAILED:
                ended = ended._replace(reason=outcome.reason, details=failures.sub_details(outcome.error))
            else:
                ended = ended._replace(reason=(termination.reason if termination else None) or "")
            replies.append(self._core.message(parent.instance_id, ended))
            parent = parent.replaced
        return replies

    def _carried_from_history(self, episode: Episode, positions: list[int]) -> list[Message]:
        """Events that earlier episodes took up after continue_as_new, while tasks were still open."""
        if not positions:
            return []
        history = episode.history
        raised = [e for e in json.loads(f"[{','.join(history.parts)}]") if e["EventType"] == ev.EVENT_RAISED]
        order = [position for position, fact in enumerate(history.facts) if isinstance(fact, EventRaised)]
        found = [raised[order.index(position)] for position in positions]
        return [
            self._core.message(
                episode.instance.instance_id,
                msg.Event(event["Name"], event["Input"], parse(event["Timestamp"]) or episode.started),
            )
            for event in found
        ]

    def _hand_over_inbox(self, instance: Orchestration, successor: Orchestration) -> None:
        """What came meanwhile from outside is the successor's; answers to the old execution are nobody's."""
        for message in instance.inbox:
            if isinstance(message.payload, _FROM_OUTSIDE) and message.execution is None:
                successor.inbox.append(message)
            else:
                message.consumed = True
                self._core.store.submit_nowait([message.delete()])
        instance.inbox.clear()

    def _drop_inbox(self, instance: Orchestration) -> None:
        """What came while it ended, until its commit was done, reaches nobody any more."""
        for message in instance.inbox:
            message.consumed = True
            self._core.store.submit_nowait([message.delete()])
        instance.inbox.clear()


def _next_id(episode: Episode, effects: Effects) -> int:
    """The end takes the next number of what the orchestration does."""
    facts = (*episode.history.facts, *effects.facts)
    return max((fact.id for fact in facts if isinstance(fact, SCHEDULED)), default=-1) + 1


def taken_up(episode: Episode) -> list[Write]:
    """What is in history now is no longer waiting."""
    return [message.delete() for message in episode.arrivals.messages if message.stored]


_FROM_OUTSIDE = (msg.Event, msg.Terminate, msg.Suspend, msg.Resume)
