"""Step 2: what the registry and the zones know of each accepted message."""

from __future__ import annotations

from activities.attempt import run_step
from activities.staging import ENRICHED, MESSAGES, page_names, take_staged, write_page, write_page_number, write_staged
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.steps import ENRICH, Findings, Reference, Result
from reference_data import ReferenceData
from telemetry.enrichment import enrich as enrich_messages
from telemetry.rules import Rules


async def enrich(store: Store, reference: Reference, rules: Rules, known: ReferenceData) -> Result:
    """Stages ``enriched``."""

    async def work(batch: Batch) -> Findings:
        names = await page_names(store, batch, MESSAGES)
        for number, name in enumerate(names):
            messages = await take_staged(store, batch, name)
            enrich_messages(messages, known.registry, known.zones, rules)
            if len(names) == 1:
                await write_staged(store, batch, ENRICHED, messages)
            else:
                await write_page(store, batch, ENRICHED, number, messages)
        if len(names) > 1:
            await write_page_number(store, batch, ENRICHED, len(names))
        return {}

    return await run_step(store, reference, ENRICH, work)
