"""Alerts: what is wrong with which drone, who has taken it up, and who was told."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import azure.functions as func

from durable_sdk import durable_client
from http_api.authorization import Role, caller_name
from http_api.batches import status_links
from http_api.body import read_json_object
from http_api.endpoint import Api, Call
from http_api.flights import a_device_id, up_to_date
from http_api.identifiers import alert_id
from http_api.parameters import Parameter, choice, continuation, instant, limit, text
from http_api.problem import not_found
from http_api.responses import json_response
from observability import log
from pipeline.alerts.flights import flight_ids
from pipeline.alerts.instances import ACKNOWLEDGED, episode_instance
from pipeline.alerts.keeping import start_deliveries, tell_episode
from pipeline.clock import now
from pipeline.ports import AlertFilter, Store
from settings import get_settings
from storage.factory import get_store
from telemetry.episodes import (
    ACKNOWLEDGED_NOTICE,
    PENDING,
    SHOWN_STATUSES,
    Episode,
    acknowledged,
    due,
    sent_again,
    show,
)
from telemetry.vocabulary import ALERT_CODES

api = Api()
NOTE = text(longest=1000, lines=True)


@api.route(
    "GET",
    "/api/alerts",
    role=Role.GET_STATUS,
    query={
        "status": choice(SHOWN_STATUSES),
        "acknowledged": choice(("true", "false")),
        "code": choice(ALERT_CODES),
        "deviceId": Parameter(a_device_id, "a device id"),
        "from": instant(),
        "to": instant(),
        "limit": limit(),
        "continuation": continuation(),
    },
    durable=True,
)
async def list_alerts(call: Call) -> func.HttpResponse:
    store = await up_to_date()
    page = await store.alerts.list(_filter(call.query), call.query["limit"], call.query["continuation"])
    return json_response({"items": await _bodies(store, page.items, call), "continuation": page.continuation})


@api.route("GET", "/api/alerts/{id}", role=Role.GET_STATUS, durable=True)
async def get_alert(call: Call) -> func.HttpResponse:
    store = await up_to_date()
    return await _answer(store, await _found(store, call), call)


@api.route("POST", "/api/alerts/{id}/acknowledge", role=Role.OPERATE, durable=True)
async def acknowledge_alert(call: Call) -> func.HttpResponse:
    fields = read_json_object(call.request, {"note": NOTE})
    by = caller_name(get_settings(), call.request.headers)
    store = await get_store()
    known = await _found(store, call)
    at = now()
    changed = _there(
        await store.alerts.change(known["id"], lambda one: acknowledged(one, at, by, fields["note"])), known
    )
    if ACKNOWLEDGED_NOTICE in due(changed):
        try:
            await tell_episode(durable_client(call.client), changed["id"], ACKNOWLEDGED)
        except Exception as error:  # it is kept, and the monitor brings it to the episode's mind
            log(logging.WARNING, "an alert's episode was not told", alertId=changed["id"], error=str(error))
    return await _answer(store, changed, call)


@api.route("POST", "/api/alerts/{id}/notify", role=Role.OPERATE, durable=True)
async def notify_alert(call: Call) -> func.HttpResponse:
    """202 when notices go out again, 200 when none was given up."""
    read_json_object(call.request, {})
    store = await get_store()
    known = await _found(store, call)
    at, receivers = now(), [webhook.key for webhook in get_settings().alerts.webhooks]
    changed = _there(await store.alerts.change(known["id"], lambda one: sent_again(one, receivers, at)), known)
    if changed == known:
        return await _answer(store, changed, call)
    try:
        await start_deliveries(durable_client(call.client), changed)
    except Exception as error:  # the next look at what has no instance starts them
        log(logging.WARNING, "notices do not go out yet", alertId=changed["id"], error=str(error))
    return await _answer(store, changed, call, status=202)


async def _found(store: Store, call: Call) -> Episode:
    found = alert_id(call)
    episode = await store.alerts.get(found)
    if episode is None or episode["status"] == PENDING:
        raise not_found("alert", found)
    return episode


def _there(episode: Episode | None, known: Episode) -> Episode:
    if episode is None:  # purged meanwhile
        raise not_found("alert", known["id"])
    return episode


async def _answer(store: Store, episode: Episode, call: Call, *, status: int = 200) -> func.HttpResponse:
    [body] = await _bodies(store, [episode], call)
    return json_response(body, status=status)


async def _bodies(store: Store, episodes: Sequence[Episode], call: Call) -> list[dict[str, Any]]:
    flights = await flight_ids(store.flights, episodes)
    return [_body(episode, flights.get(episode["id"]), call) for episode in episodes]


def _body(episode: Episode, flight: str | None, call: Call) -> dict[str, Any]:
    instance = episode_instance(episode["id"])
    links = status_links(call, instance)
    return {**show(episode, flight), "instanceId": instance, "statusQueryGetUri": links["statusQueryGetUri"]}


def _filter(values: Mapping[str, Any]) -> AlertFilter:
    acknowledged = values["acknowledged"]
    return AlertFilter(
        status=values["status"],
        acknowledged=None if acknowledged is None else acknowledged == "true",
        code=values["code"],
        device_id=values["deviceId"],
        raised_from=values["from"],
        raised_to=values["to"],
    )
