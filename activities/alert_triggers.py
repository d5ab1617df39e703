"""The alerts' steps as activity functions."""

# mypy: allow-untyped-decorators
from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import azure.durable_functions as df

from activities import alerts
from durable_sdk import durable_client, entity_reader
from pipeline.alerts import telling
from pipeline.alerts.monitor import Monitor
from pipeline.alerts.steps import AlertReference, NoticeReference, Pause, Sent, Told
from pipeline.durable import DurableClient
from pipeline.ports import Store
from pipeline.signals import DRONE
from settings import Alerts, get_settings
from storage.factory import get_store
from webhooks.receivers import Receivers

blueprint = df.Blueprint()

_MONITOR = Monitor()
_RECEIVERS = Receivers()


@blueprint.activity_trigger(input_name="reference")
@blueprint.durable_client_input(client_name="client")
async def look_at_alerts(reference: Pause, client: Any) -> Pause:
    settings, store = get_settings(), await get_store()
    durable, drones = durable_client(client), entity_reader(client, DRONE)
    pause = await _MONITOR.look(store, durable, drones, settings.alerts, settings.rules, reference["pause"])
    return {"pause": pause}


@blueprint.activity_trigger(input_name="reference")
@blueprint.durable_client_input(client_name="client")
async def tell_alert(reference: AlertReference, client: Any) -> Told:
    return await telling.tell(*await _parts(reference, client))


@blueprint.activity_trigger(input_name="reference")
@blueprint.durable_client_input(client_name="client")
async def escalate_alert(reference: AlertReference, client: Any) -> Told:
    return await telling.escalate(*await _parts(reference, client))


@blueprint.activity_trigger(input_name="reference")
@blueprint.durable_client_input(client_name="client")
async def send_notice(reference: NoticeReference, client: Any) -> Sent:
    return await alerts.send_notice(
        await get_store(), durable_client(client), reference, get_settings().alerts, _RECEIVERS
    )


async def _parts(
    reference: AlertReference, client: Any
) -> tuple[Store, DurableClient, str, Alerts, Callable[[NoticeReference], Awaitable[Sent]]]:
    """What telling takes."""
    store, durable, settings = await get_store(), durable_client(client), get_settings().alerts

    async def send(notice: NoticeReference) -> Sent:
        return await alerts.send_notice(store, durable, notice, settings, _RECEIVERS)

    return store, durable, reference["alertId"], settings, send
