"""Step 2: what the registry and the zones know of each accepted message."""

from __future__ import annotations

from activities.attempt import run_step
from activities.staging import ENRICHED, MESSAGES, take_staged, write_staged
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.steps import ENRICH, Findings, Reference, Result
from reference_data import ReferenceData
from telemetry.enrichment import enrich as enrich_messages
from telemetry.rules import Rules


async def enrich(store: Store, reference: Reference, rules: Rules, known: ReferenceData) -> Result:
    """Stages ``enriched``."""

    async def work(batch: Batch) -> Findings:
        messages = await take_staged(store, batch, MESSAGES)
        enrich_messages(messages, known.registry, known.zones, rules)
        await write_staged(store, batch, ENRICHED, messages)
        return {}

    return await run_step(store, reference, ENRICH, work)
