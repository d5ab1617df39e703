"""Keeps the alerts' orchestrations alive: whatever ended before its time is started again.

Nothing rests on an instance alone. What an episode has come to stands in the store, and an orchestrator that begins
again reads it there; so starting one that runs changes nothing, and starting one that has ended does what it left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

from observability import log
from pipeline.alerts.instances import (
    CHANGED,
    DELIVERY,
    DELIVERY_PREFIX,
    EPISODE,
    EPISODE_PREFIX,
    MONITOR,
    MONITOR_ID,
    delivery_instance,
    episode_instance,
)
from pipeline.alerts.steps import NoticeReference
from pipeline.clock import ago
from pipeline.durable import ENDED, DurableClient, InstanceStatus, Walk
from pipeline.many import for_each
from pipeline.orphans import end_instance
from pipeline.ports import Store
from settings import Retention
from telemetry.episodes import ACTIVE, SENDING, Episode

STUCK_SECONDS = 600.0
"""The monitor's longest pause is a minute."""
GRACE_SECONDS = 30.0
"""So old is what should have an instance by now."""
LOOKS = 100
AT_ONCE = 16


async def wake_monitor(client: DurableClient) -> None:
    """Have it look at once; the first time, start it. What fails is made up for by its own next look."""
    try:
        await client.raise_event(MONITOR_ID, CHANGED)
    except Exception:
        try:
            await client.start(MONITOR, MONITOR_ID, {})
        except Exception as error:
            log(logging.WARNING, "the alerts' monitor was not woken", error=str(error))


async def keep_monitor(client: DurableClient) -> None:
    """Start it where it is not there or has ended; end it where it has not moved for long, to be started the next
    time. One that a person has suspended is left alone."""
    instance = await client.instance(MONITOR_ID)
    if instance is None or instance.status in ENDED:
        if instance is not None:
            log(logging.WARNING, "the alerts' monitor is started again", status=instance.status.value)
        await client.start(MONITOR, MONITOR_ID, {})
    elif instance.status is not InstanceStatus.SUSPENDED:
        idle = datetime.now(timezone.utc) - instance.moved
        if idle > timedelta(seconds=STUCK_SECONDS):
            log(logging.WARNING, "the alerts' monitor is stuck", seconds=round(idle.total_seconds()))
            await end_instance(client, MONITOR_ID, "it has not moved for long")


async def start_episode(client: DurableClient, alert_id: str) -> None:
    await client.start(EPISODE, episode_instance(alert_id), {"alertId": alert_id})


async def tell_episode(client: DurableClient, alert_id: str, event: str) -> None:
    """Raise the event, or start the instance where it cannot take one: it finds in the store what has happened."""
    try:
        await client.raise_event(episode_instance(alert_id), event)
    except Exception:
        await start_episode(client, alert_id)


async def start_deliveries(client: DurableClient, episode: Episode) -> None:
    """Start what is on its way; what is under way already goes on."""
    for instance, argument in deliveries_of(episode):
        await client.start(DELIVERY, instance, argument)


def deliveries_of(episode: Episode) -> Iterable[tuple[str, NoticeReference]]:
    """Ids and inputs of the instances that are to bring its notices to their receivers."""
    for kind, notice in episode["notices"].items():
        for receiver, one in notice["deliveries"].items():
            if one["state"] == SENDING:
                yield (
                    delivery_instance(episode["id"], kind, receiver, one["round"]),
                    {"alertId": episode["id"], "kind": kind, "receiver": receiver, "round": one["round"], "tries": 0},
                )


class Reviver:
    """Starts again what has no living instance, of alerts about which something is left to do: ``LOOKS`` instances in
    one run, and the next goes on behind them."""

    def __init__(self) -> None:
        self._last = ""

    async def run(self, store: Store, client: DurableClient) -> None:
        wanted = await _wanted(store)
        behind = sorted(instance for instance in wanted if instance > self._last)
        turn = (behind + sorted(wanted.keys() - set(behind)))[:LOOKS]
        self._last = turn[-1] if turn else ""

        async def one(instance: str) -> None:
            known = await client.instance(instance)
            if known is None or known.status in ENDED:
                orchestrator, argument = wanted[instance]
                log(logging.WARNING, "started again", orchestrator=orchestrator, instanceId=instance)
                await client.start(orchestrator, instance, argument)

        await for_each(turn, AT_ONCE, one)


async def _wanted(store: Store) -> dict[str, tuple[str, object]]:
    """Instances that should be there by now, with their orchestrators and inputs."""
    before = ago(GRACE_SECONDS)
    wanted: dict[str, tuple[str, object]] = {}
    for one in await store.alerts.unsettled():
        if one["status"] == ACTIVE and str(one["activeAt"]) < before:
            wanted[episode_instance(one["id"])] = EPISODE, {"alertId": one["id"]}
        if one["notices"] and max(notice["at"] for notice in one["notices"].values()) < before:
            wanted |= {instance: (DELIVERY, argument) for instance, argument in deliveries_of(one)}
    return wanted


async def purge_alert_histories(client: DurableClient, retention: Retention, walk_of: Callable[[str], Walk]) -> int:
    """Delete the histories of ended episodes and deliveries that were created long enough ago, on the next pages of the
    engine's list; how many."""
    before = datetime.now(timezone.utc) - timedelta(hours=retention.durable_hours)
    deleted = 0
    for prefix in (EPISODE_PREFIX, DELIVERY_PREFIX):
        ended = await client.instance_ids(prefix, before, ENDED, walk_of(prefix))
        deleted += sum(await for_each(ended, AT_ONCE, client.purge))
    return deleted
