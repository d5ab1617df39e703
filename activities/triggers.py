"""The steps as activity functions: each fetches what its step needs and nothing else."""

# mypy: allow-untyped-decorators
from __future__ import annotations

from typing import Any

import azure.durable_functions as df

from activities import enrich, finish, store, validate
from activities import update_drones as drones
from durable_sdk import durable_client
from pipeline.steps import Completion, Failure, Reference, Result
from reference_data import get_reference_data, refresh
from settings import get_settings
from storage.factory import get_store

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="reference")
async def validate_batch(reference: Reference) -> Result:
    return await validate.validate(await get_store(), reference, get_settings().rules)


@blueprint.activity_trigger(input_name="reference")
async def enrich_messages(reference: Reference) -> Result:
    store = await get_store()
    await refresh(store)
    return await enrich.enrich(store, reference, get_settings().rules, get_reference_data())


@blueprint.activity_trigger(input_name="reference")
async def store_messages(reference: Reference) -> Result:
    return await store.store(await get_store(), reference)


@blueprint.activity_trigger(input_name="reference")
@blueprint.durable_client_input(client_name="client")
async def update_drones(reference: Reference, client: Any) -> Result:
    return await drones.update_drones(await get_store(), durable_client(client), reference)


@blueprint.activity_trigger(input_name="reference")
async def complete_batch(reference: Completion) -> Result:
    return await finish.complete(await get_store(), reference)


@blueprint.activity_trigger(input_name="reference")
async def fail_batch(reference: Failure) -> Result:
    return await finish.fail(await get_store(), reference)
