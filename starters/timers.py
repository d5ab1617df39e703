"""The timers: one recovers stalled batches, one cleans up (orphans, and what is kept no longer), one keeps the
flights, one keeps the alerts' orchestrations alive."""

# mypy: allow-untyped-decorators
from __future__ import annotations

import logging

import azure.durable_functions as df
import azure.functions as func

from durable_sdk import durable_client
from event_hub.sending import HubUnavailable, get_hub
from event_hub.watch import missing_events
from observability import log
from pipeline.alerts.keeping import Reviver, keep_monitor
from pipeline.durable import Walk
from pipeline.flights import keeper_of
from pipeline.histories import Histories
from pipeline.orphans import end_orphans
from pipeline.ports import Conflict, Store, StoreUnavailable
from pipeline.purge import purge
from pipeline.sweep import Sweeper
from pipeline.windows import sweep_held
from settings import get_settings
from storage.factory import get_store

blueprint = df.Blueprint()
_SWEEPER = Sweeper()
_HISTORIES = Histories()
_ORPHANS = Walk(pages=20)
_REVIVER = Reviver()


@blueprint.function_name("sweeper")
@blueprint.timer_trigger(arg_name="timer", schedule=get_settings().sweeping.schedule, use_monitor=False)
@blueprint.durable_client_input(client_name="client")
async def sweeper(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    settings = get_settings()
    store = await get_store()
    await _SWEEPER.sweep(store, durable_client(client), settings.sweeping)
    await sweep_held(store, durable_client(client), settings.signal_window, settings.sweeping.stalled_seconds)
    await _look_for_missing_events(store)


@blueprint.function_name("purger")
@blueprint.timer_trigger(arg_name="timer", schedule=get_settings().retention.schedule, use_monitor=False)
@blueprint.durable_client_input(client_name="client")
async def purger(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    settings = get_settings()
    store, durable = await get_store(), durable_client(client)
    await end_orphans(store, durable, settings.sweeping, settings.event_hub_name, _ORPHANS)
    await purge(store, durable, settings.retention, settings.event_hub_name, histories=_HISTORIES)


@blueprint.function_name("flight_keeper")
@blueprint.timer_trigger(arg_name="timer", schedule=get_settings().flights.schedule, use_monitor=False)
async def flight_keeper(timer: func.TimerRequest) -> None:
    flights = get_settings().flights
    try:
        await keeper_of(await get_store(), flights.rules).catch_up(flights.run_seconds)
    except (Conflict, StoreUnavailable) as error:
        log(logging.WARNING, "flights are not up to date; the next run goes on", error=str(error))


@blueprint.function_name("alert_keeper")
@blueprint.timer_trigger(arg_name="timer", schedule="15,45 * * * * *", use_monitor=False)
@blueprint.durable_client_input(client_name="client")
async def alert_keeper(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    store, durable = await get_store(), durable_client(client)
    await keep_monitor(durable)
    await _REVIVER.run(store, durable)


async def _look_for_missing_events(store: Store) -> None:
    """A line in the log for what the hub holds and the store never got; also where nobody asks for the health."""
    try:
        await missing_events(store, await get_hub().partitions())
    except (HubUnavailable, StoreUnavailable) as error:
        # Said where it is found; here it would be said every few seconds.
        log(logging.DEBUG, "cannot tell whether all events have come", error=str(error))
