"""The alerts' steps: each may run again, and then finds in the store what it has done."""

from __future__ import annotations

import logging
import random
from typing import cast

from observability import log
from pipeline.alerts.flights import flight_ids
from pipeline.alerts.instances import episode_instance
from pipeline.alerts.steps import NoticeReference, Sent
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.ports import Store
from settings import Alerts
from telemetry import times
from telemetry.episodes import DELIVERED, GIVEN_UP, SENDING, DeliveryState, NoticeType, delivery, with_delivery
from webhooks.message import cloud_event, signed
from webhooks.receivers import Later, Receivers

LONGEST_PAUSE_SECONDS = 60.0


async def send_notice(
    store: Store, client: DurableClient, notice: NoticeReference, alerts: Alerts, receivers: Receivers
) -> Sent:
    """Try once to bring the notice to its receiver."""
    alert_id, kind, tries = notice["alertId"], cast(NoticeType, notice["kind"]), notice["tries"]
    episode = await store.alerts.get(alert_id)
    known = None if episode is None else delivery(episode, kind, notice["receiver"])
    if episode is None or known is None or known["state"] != SENDING or known["round"] != notice["round"]:
        return _done(known is not None and known["state"] == DELIVERED, tries)
    webhook = next((one for one in alerts.webhooks if one.key == notice["receiver"]), None)
    if webhook is None or alerts.webhook_secret is None:
        return await _settled(store, notice, GIVEN_UP, "it is no receiver any more", tries)
    flights = await flight_ids(store.flights, [episode])
    instance = episode_instance(alert_id)
    links = {"instanceId": instance, "statusQueryGetUri": client.status_uri(instance)}
    body, headers = signed(cloud_event(episode, kind, flights.get(alert_id), links), alerts.webhook_secret)
    answer = await receivers.send(webhook.key, webhook.url, body, headers)
    left = alerts.retry_seconds - times.seconds_between(known["since"], now())
    if isinstance(answer, Later):
        if left <= 0 and tries > 0:
            return await _settled(store, notice, GIVEN_UP, "the receiver answers nobody", tries)
        return {"done": False, "delivered": False, "retryIn": answer.seconds * random.uniform(1, 1.3), "tries": tries}
    tries += 1
    if answer.delivered:
        return await _settled(store, notice, DELIVERED, answer.reason, tries)
    if answer.gone or left <= 0:
        return await _settled(store, notice, GIVEN_UP, answer.reason, tries)
    log(logging.INFO, "notice not delivered yet", **_ids(notice), tries=tries, reason=answer.reason)
    pause = min(2.0 ** min(tries - 1, 10), LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2)
    return {"done": False, "delivered": False, "retryIn": min(pause, left), "tries": tries}


async def _settled(store: Store, notice: NoticeReference, state: DeliveryState, reason: str, tries: int) -> Sent:
    kind, receiver, round_ = cast(NoticeType, notice["kind"]), notice["receiver"], notice["round"]
    await store.alerts.change(notice["alertId"], lambda one: with_delivery(one, kind, receiver, round_, state))
    if state == DELIVERED:
        log(logging.INFO, "notice delivered", **_ids(notice), tries=tries)
    else:
        log(logging.ERROR, "notice given up", **_ids(notice), tries=tries, reason=reason)
    return _done(state == DELIVERED, tries)


def _done(delivered: bool, tries: int) -> Sent:
    return {"done": True, "delivered": delivered, "retryIn": 0.0, "tries": tries}


def _ids(notice: NoticeReference) -> dict[str, str]:
    """The receiver by its key: its URL may hold a secret."""
    return {"alertId": notice["alertId"], "kind": notice["kind"], "receiver": notice["receiver"]}
