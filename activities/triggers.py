"""The steps as activity functions: each fetches what its step needs and nothing else."""

# mypy: allow-untyped-decorators
from __future__ import annotations

from typing import Any

import azure.durable_functions as df

from activities import before, finish, flush, prepare, store
from activities.update_drones import Windowed
from durable_sdk import durable_client, entity_reader
from pipeline.records import Batch
from pipeline.signals import DRONE
from pipeline.steps import ENRICH, VALIDATE, Completion, Failure, Reference, Result
from pipeline.windows import Flushed, Window
from reference_data import get_reference_data, refresh
from settings import get_settings
from storage.factory import get_store

blueprint = df.Blueprint()


async def prepare_batch(batch: Batch) -> None:
    store, settings = await get_store(), get_settings()
    await refresh(store)
    await prepare.prepare(store, batch, settings.rules, get_reference_data(), in_memory=settings.one_process)


@blueprint.activity_trigger(input_name="reference")
async def store_messages(reference: Reference) -> Result:
    return await store.store(await get_store(), reference, prepare_batch)


@blueprint.activity_trigger(input_name="reference")
@blueprint.durable_client_input(client_name="client")
async def finish_batch(reference: Completion, client: Any) -> Result:
    seconds, rules = get_settings().signal_window, get_settings().rules
    windowed = Windowed(seconds, rules, entity_reader(client, DRONE).state) if seconds else None
    return await finish.finish(await get_store(), durable_client(client), reference, prepare_batch, windowed)


@blueprint.activity_trigger(input_name="window")
@blueprint.durable_client_input(client_name="client")
async def flush_window(window: Window, client: Any) -> Flushed:
    return await flush.flush(await get_store(), durable_client(client), window)


@blueprint.activity_trigger(input_name="reference")
async def fail_batch(reference: Failure) -> Result:
    return await finish.fail(await get_store(), reference)


# Of orchestrators.process_batch, the version before:


@blueprint.activity_trigger(input_name="reference")
async def validate_batch(reference: Reference) -> Result:
    return await before.prepared(await get_store(), reference, VALIDATE, prepare_batch)


@blueprint.activity_trigger(input_name="reference")
async def enrich_messages(reference: Reference) -> Result:
    return await before.prepared(await get_store(), reference, ENRICH, prepare_batch)


@blueprint.activity_trigger(input_name="reference")
@blueprint.durable_client_input(client_name="client")
async def update_drones(reference: Reference, client: Any) -> Result:
    return await before.update_drones(await get_store(), durable_client(client), reference, prepare_batch)


@blueprint.activity_trigger(input_name="reference")
async def complete_batch(reference: Completion) -> Result:
    return await before.complete(await get_store(), reference)
