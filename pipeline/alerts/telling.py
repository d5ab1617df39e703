"""What an episode tells, and to whom; kept in the store before it goes out, so that nothing is told twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from observability import log
from pipeline.alerts.keeping import deliveries_of, start_deliveries
from pipeline.alerts.steps import NoticeReference, Sent, Told
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.ports import Store, StoreUnavailable
from settings import Alerts
from telemetry import times
from telemetry.episodes import ACTIVE, CLEARED, Episode, NoticeType, due, escalated, told

GONE: Told = {"open": False, "acknowledged": False, "escalateIn": None, "stage": "gone"}
"""There is no such alert any more."""


Send = Callable[[NoticeReference], Awaitable[Sent]]
"""One try to bring a notice to its receiver."""

FIRST_TRY_SECONDS = 2.0


async def tell(store: Store, client: DurableClient, alert_id: str, alerts: Alerts, send: Send) -> Told:
    """Tell what is to be told: each receiver is tried once at once, and what does not arrive is put on its way. Done
    again it starts what is still under way, which changes nothing."""
    episode = await store.alerts.get(alert_id)
    if episode is None:
        return GONE
    receivers = [webhook.key for webhook in alerts.webhooks]
    at, fresh = now(), list[NoticeType]()

    def all_told(one: Episode) -> Episode | None:
        fresh[:] = due(one)
        return _all_told(one, receivers, at)

    if due(episode):
        episode = await store.alerts.change(alert_id, all_told) or episode
        notices = [argument for _, argument in deliveries_of(episode) if argument["kind"] in fresh]
        if notices:
            await asyncio.gather(*(_try_once(send, notice) for notice in notices))
            episode = await store.alerts.get(alert_id) or episode
    await start_deliveries(client, episode)
    return _told(episode, alerts)


async def _try_once(send: Send, notice: NoticeReference) -> None:
    """A receiver that hangs is left to an instance of its own."""
    try:
        await asyncio.wait_for(send(notice), FIRST_TRY_SECONDS)
    except asyncio.TimeoutError:
        return
    except StoreUnavailable as error:  # what has arrived arrives once more, under the same id
        log(logging.WARNING, "a notice's first try is not noted", alertId=notice["alertId"], error=str(error))


async def escalate(store: Store, client: DurableClient, alert_id: str, alerts: Alerts, send: Send) -> Told:
    at = now()
    await store.alerts.change(alert_id, lambda one: escalated(one, at))
    return await tell(store, client, alert_id, alerts, send)


def _all_told(episode: Episode, receivers: Sequence[str], at: str) -> Episode | None:
    changed: Episode | None = None
    for kind in due(episode):
        changed = told(changed or episode, kind, receivers, at) or changed
    return changed


def _told(episode: Episode, alerts: Alerts) -> Told:
    open_, taken_up = episode["status"] == ACTIVE, episode["acknowledgedAt"] is not None
    waits = open_ and not taken_up and episode["escalatedAt"] is None and episode["activeAt"] is not None
    escalate_in = None
    if waits:
        waited = times.seconds_between(str(episode["activeAt"]), now())
        escalate_in = max(alerts.escalate_seconds - waited, 0.0)
    return {
        "open": open_,
        "acknowledged": taken_up,
        "escalateIn": escalate_in,
        "stage": CLEARED
        if not open_
        else "acknowledged"
        if taken_up
        else "escalated"
        if episode["escalatedAt"]
        else "raised",
    }
