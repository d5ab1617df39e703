"""The timers: one recovers stalled batches, one cleans up (orphans, and what is kept no longer), one keeps the
flights."""

# mypy: allow-untyped-decorators
from __future__ import annotations

import logging

import azure.durable_functions as df
import azure.functions as func

from durable_sdk import durable_client
from event_hub.sending import HubUnavailable, get_hub
from event_hub.watch import missing_events
from observability import log
from pipeline.flights import keeper_of
from pipeline.orphans import end_orphans
from pipeline.ports import Conflict, Store, StoreUnavailable
from pipeline.purge import purge
from pipeline.sweep import Sweeper
from settings import get_settings
from storage.factory import get_store

blueprint = df.Blueprint()
_SWEEPER = Sweeper()
FLIGHT_SECONDS = 8.0


@blueprint.function_name("sweeper")
@blueprint.timer_trigger(arg_name="timer", schedule=get_settings().sweeping.schedule, use_monitor=False)
@blueprint.durable_client_input(client_name="client")
async def sweeper(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    settings = get_settings()
    store = await get_store()
    await _SWEEPER.sweep(store, durable_client(client), settings.sweeping)
    await _look_for_missing_events(store)


@blueprint.function_name("purger")
@blueprint.timer_trigger(arg_name="timer", schedule=get_settings().retention.schedule, use_monitor=False)
@blueprint.durable_client_input(client_name="client")
async def purger(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    settings = get_settings()
    store, durable = await get_store(), durable_client(client)
    await end_orphans(store, durable, settings.sweeping, settings.event_hub_name)
    await purge(store, durable, settings.retention, settings.event_hub_name)


@blueprint.function_name("flight_keeper")
@blueprint.timer_trigger(arg_name="timer", schedule=get_settings().flights.schedule, use_monitor=False)
async def flight_keeper(timer: func.TimerRequest) -> None:
    try:
        await keeper_of(await get_store(), get_settings().flights.rules).catch_up(FLIGHT_SECONDS)
    except (Conflict, StoreUnavailable) as error:
        log(logging.WARNING, "flights are not up to date; the next run goes on", error=str(error))


async def _look_for_missing_events(store: Store) -> None:
    """A line in the log for what the hub holds and the store never got; also where nobody asks for the health."""
    try:
        await missing_events(store, await get_hub().partitions())
    except (HubUnavailable, StoreUnavailable) as error:
        # Said where it is found; here it would be said every few seconds.
        log(logging.DEBUG, "cannot tell whether all events have come", error=str(error))
