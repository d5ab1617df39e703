"""Totals of the pipeline since its store was made."""

from __future__ import annotations

import asyncio

import azure.functions as func

from durable_sdk import entity_reader
from http_api.authorization import Role
from http_api.batches import STATUSES as BATCH_STATUSES
from http_api.counting import DroneCounter
from http_api.endpoint import Api, Call
from http_api.parameters import instant
from http_api.responses import json_response
from pipeline.clock import now
from pipeline.samples import SAMPLES, sample_seconds
from pipeline.signals import DRONE
from storage.factory import get_store
from telemetry.vocabulary import LETTER_STATUSES

api = Api()
_drones = DroneCounter()


@api.route("GET", "/api/stats", role=Role.OPERATE, durable=True)
async def get_stats(call: Call) -> func.HttpResponse:
    store = await get_store()
    ledger, letters, standing, held = await asyncio.gather(
        store.ledger.totals(),
        store.dead_letters.totals(),
        store.ledger.stalled(now(), 1),
        store.held.totals(),
    )
    SAMPLES.note(ledger)
    # After the totals: a batch that they call completed has its drones in the count.
    drones = await _drones.count(entity_reader(call.client, DRONE))
    return json_response(
        {
            "events": ledger.events,
            "messages": ledger.messages,
            "stored": ledger.stored,
            "rejected": ledger.rejected,
            "duplicates": ledger.duplicates,
            "batches": {status: ledger.batches.get(status, 0) for status in BATCH_STATUSES},
            "deadLetters": {status: letters.dead_letters.get(status, 0) for status in LETTER_STATUSES},
            "deadLetterCodes": dict(sorted(letters.dead_letter_codes.items())),
            "drones": drones,
            "unprocessed": ledger.unprocessed,
            "oldestUnprocessedAt": ledger.oldest_unprocessed_at,
            "oldestUnfinishedAt": standing[0].updated_at if standing else None,
            "held": {"batches": held.batches, "since": held.since},
        }
    )


@api.route("GET", "/api/stats/history", role=Role.OPERATE, query={"since": instant()})
async def get_stats_history(call: Call) -> func.HttpResponse:
    """The last hour as this process has seen it. Asking keeps it looking."""
    SAMPLES.touch(await get_store(), sample_seconds())
    items = [
        {
            "at": sample.at,
            "messages": sample.messages,
            "stored": sample.stored,
            "duplicates": sample.duplicates,
            "rejected": sample.rejected,
            "unfinished": sample.unfinished,
            "failed": sample.failed,
            "unprocessed": sample.unprocessed,
            "oldestUnprocessedAt": sample.oldest_unprocessed_at,
        }
        for sample in SAMPLES.since(call.query["since"])
    ]
    return json_response({"items": items, "continuation": None})
