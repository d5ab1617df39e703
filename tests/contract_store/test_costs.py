"""What the calculator counts with is what the code asks for: requests noted by the protocol servers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from benchmarks.batches import deliveries
from benchmarks.scaling import counts
from benchmarks.scaling.counts import Blobs, Documents
from pipeline import windows
from pipeline.flights import FlightKeeper
from pipeline.intake import new_batch
from pipeline.samples import Samples
from storage.azure import AzureStore
from storage.azure.containers import MESSAGES
from storage.azure.ids import bucket_of
from telemetry.flights import FlightRules
from tests.support.azure_stores import azure_store
from tests.support.pipeline import Pipeline, make_pipeline
from tests.support.servers.azure_servers import AzureServers, Faults

DRONES, WARM, BATCHES = 100, 8, 4


@dataclass
class Metered:
    """A pipeline on an Azure store, and what its last batches asked the servers for."""

    pipeline: Pipeline
    store: AzureStore
    cosmos: Faults
    blobs: Faults
    sent: int = 0
    buckets: set[str] = field(default_factory=set)

    async def run(self, batches: int, *, in_known_buckets: bool = False, flush: bool = True) -> None:
        """The first batch of a bucket makes the bucket's counters, once and for all."""
        while batches:
            events = deliveries(DRONES, DRONES, first=self.sent)
            self.sent += DRONES
            bucket = bucket_of(new_batch(events).id)
            if in_known_buckets and bucket not in self.buckets:
                continue
            self.buckets.add(bucket)
            await self.pipeline.receive(events)
            while ready := [item for item in self.pipeline.engine.ready if flush or "~flush~" not in item.key]:
                self.pipeline.engine.ready.remove(ready[0])
                self.pipeline.engine.ready.insert(0, ready[0])
                await self.pipeline.engine.step()
            batches -= 1

    async def settled(self) -> None:
        """The flights look at seconds that are over."""
        await asyncio.sleep(2.1)

    def documents(self, container: str) -> Documents:
        operations = Counter(
            line.split()[2] for line in self._of(container) if line.split()[4] not in counts.BODIES_OF_A_BATCH
        )
        return Documents(
            reads=operations["read"] / BATCHES,
            creates=operations["create"] / BATCHES,
            replaces=(operations["replace"] + operations["upsert"]) / BATCHES,
            patches=operations["patch"] / BATCHES,
            queries=sum(
                f"/colls/{container}/docs" in line and line.endswith(" query") for line in self.cosmos.recorded()
            )
            / BATCHES,
        )

    def bytes_of(self, container: str, kind: str | None = None) -> float:
        """Of an item that was written, on the average."""
        written = [
            int(line.split()[3])
            for line in self._of(container)
            if line.split()[2] in ("create", "replace", "upsert") and kind in (None, line.split()[4])
        ]
        return sum(written) / len(written)

    def written(self, container: str, kind: str) -> float:
        """Items of this kind, a batch."""
        return sum(line.split()[2] != "delete" and line.split()[4] == kind for line in self._of(container)) / BATCHES

    def _of(self, container: str) -> list[str]:
        return [line for line in self.cosmos.recorded() if line.startswith(f"document {container} ")]


@pytest.fixture
async def metered(servers: AzureServers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Metered]:
    # It asks the ledger for its totals now and then, whatever the number of batches.
    monkeypatch.setattr(Samples, "touch", lambda *_: None)
    if servers.cosmos_faults is None or servers.blob_faults is None:
        pytest.skip("only our own servers note what they are asked for")
    async with azure_store(servers) as store:
        found = Metered(make_pipeline(store), store, servers.cosmos_faults, servers.blob_faults)
        await found.run(WARM)  # the counters, the partition's first range
        yield found
        found.cosmos.clear()
        found.blobs.clear()


def _billed_as(line: str) -> str:
    method, path, *_ = line.split()
    if method == "DELETE":
        return "free"
    if method == "PUT":
        return "write"
    return "list" if "comp=list" in path else "read"


async def test_a_batch(metered: Metered) -> None:
    metered.cosmos.record()
    metered.blobs.record()
    await metered.run(BATCHES, in_known_buckets=True)

    assert metered.documents("batches") == counts.LEDGER_OF_A_BATCH
    assert metered.documents(MESSAGES) == Documents(creates=DRONES)
    assert metered.bytes_of(MESSAGES) == pytest.approx(counts.MESSAGE_BYTES, rel=0.02)

    for kind, kilobytes in zip(counts.BODIES_OF_A_BATCH, (counts.RAW_KILOBYTES, counts.STAGED_KILOBYTES), strict=True):
        assert metered.written("batches", kind) == 1
        assert metered.bytes_of("batches", kind) / 1_000 / DRONES == pytest.approx(kilobytes, rel=0.1)
    asked = Counter(_billed_as(line) for line in metered.blobs.recorded())
    assert Blobs(asked["write"] / BATCHES, asked["list"] / BATCHES, asked["read"] / BATCHES) == counts.BLOBS_OF_A_BATCH

    instance = list(metered.pipeline.engine.instances.values())[-1]
    assert len(instance.contexts) == counts.BATCH.episodes
    assert instance.scheduled == counts.BATCH.activities


async def test_a_batch_that_is_held_and_the_flush_of_its_window(metered: Metered) -> None:
    """The same drones again: nothing cannot wait, so that each batch is held."""
    pipeline = metered.pipeline
    pipeline.signal_window = 3_600
    await metered.run(1, in_known_buckets=True)  # tells this process what the drones know
    windows._of_store.clear()  # that window's flush has run
    metered.cosmos.record()
    for _ in range(BATCHES):
        await metered.run(1, in_known_buckets=True, flush=False)
    held = metered.documents("batches")
    assert held == counts.LEDGER_OF_A_BATCH
    assert (await metered.store.held.totals()).batches == BATCHES

    metered.cosmos.record()
    await pipeline.engine.run()
    assert (await metered.store.held.totals()).batches == 0
    flushed = metered.documents("batches")
    asked_for = counts.DOCUMENTS_OF_A_FLUSH.queries / BATCHES
    assert replace(flushed, queries=0) == counts.HELD_OF_A_BATCH
    assert flushed.queries - 1 / BATCHES == pytest.approx(asked_for)  # one of them is this test's own
    [instance] = [one for key, one in pipeline.engine.instances.items() if "~flush~" in key and one.scheduled]
    assert len(instance.contexts) == counts.FLUSH.episodes
    assert instance.scheduled == 1 + counts.FLUSH.activities  # the timer


async def test_a_look_for_flights(metered: Metered) -> None:
    keeper = FlightKeeper(metered.store.messages, metered.store.flights, FlightRules())
    await metered.settled()
    assert await keeper.catch_up(60)
    await metered.run(1)
    await metered.settled()
    metered.cosmos.record()
    assert await keeper.catch_up(60)

    looked = metered.documents("flights")
    of_a_drone = Documents(*(round(number * BATCHES / DRONES, 1) for number in vars(looked).values()))
    assert of_a_drone == counts.FLIGHT_OF_A_DRONE
    assert metered.bytes_of("flights") / 1_000 == pytest.approx(counts.FLIGHT_KILOBYTES, rel=0.1)
