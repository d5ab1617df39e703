"""A line of the ledger as an item, and the counters that a change of it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pipeline.ports import Held
from pipeline.records import UNFINISHED, Batch, BatchStatus, Counts, Move, Outcome
from storage.azure.ids import bucket_of, safe_id
from storage.azure.items import Item

KIND = "batch"
PURGED = "purged"


@dataclass(frozen=True)
class Staged:
    """A document that a step of ``instance_id`` has left."""

    instance_id: str
    name: str
    in_blob: bool


@dataclass(frozen=True)
class Record:
    """A batch with what the ledger alone needs to know of it."""

    batch: Batch
    moved: tuple[tuple[str, Move], ...] = ()
    """Dead letters that were replayed while the current attempt ran: taken up by ``complete``."""
    counted: tuple[str, Counts] | None = None
    """What an instance has counted itself."""
    purging: bool = False
    """Its bytes are being deleted: it is as good as gone."""
    staged: tuple[Staged, ...] = ()
    """Items are there as long as the record has them; blobs may be gone already."""
    raw_in_item: bool | None = None
    """Where its bytes are. None: of the version before, in a blob."""
    held: tuple[Held, ...] = ()
    """Of its attempts those whose drones have not all been told."""
    unlisted: bool = False
    """Of the version before, which did not keep ``staged``: there may be blobs besides."""

    def of_instance(self, *instance_ids: str) -> tuple[Staged, ...]:
        return tuple(one for one in self.staged if one.instance_id in instance_ids)


def to_item(record: Record) -> Item:
    batch = record.batch
    when = f"{batch.received_at}|{batch.id}"
    item: Item = {
        "id": safe_id(batch.id),
        "bucket": bucket_of(batch.id),
        "kind": KIND,
        # Sort keys made for the queries: one range on one index path each.
        "sort": when,
        "statusSort": f"{batch.status.value}|{when}",
        **_delivered(batch),
        "status": batch.status.value,
        "stage": batch.stage,
        "attempts": batch.attempts,
        "sweeps": batch.sweeps,
        "error": batch.error,
        "counts": None,
        "updatedAt": batch.updated_at,
        "completedAt": batch.completed_at,
        "worker": batch.worker,
        "deaths": batch.deaths,
        "moved": [{"letter": letter_id, **vars(move)} for letter_id, move in record.moved],
        "counted": None if record.counted is None else {"by": record.counted[0], **vars(record.counted[1])},
        "purging": record.purging,
        "staged": [vars(one) for one in record.staged],
        "rawInItem": record.raw_in_item,
        "unlisted": record.unlisted,
        "held": [[one.instance_id, one.since, one.enqueued_from] for one in record.held],
    }
    if batch.counts is not None:
        item["counts"] = dict(vars(batch.counts))
    if record.held:
        item["heldSort"] = held_sort(batch.hub, batch.partition, f"{record.held[0].since}|{batch.id}")
    if batch.status in UNFINISHED:  # absent otherwise, so that the index holds only what is in flight
        item["inFlightSince"] = in_flight_since(batch)
    return item


def held_sort(hub: str, partition: str, what: str) -> str:
    return f"{hub}|{partition}|{what}"


def in_flight_since(batch: Batch) -> str:
    """The sort key of an unfinished batch."""
    return f"{batch.updated_at}|{batch.id}"


def from_item(item: Item) -> Record:
    counts: dict[str, Any] | None = item["counts"]
    batch = replace(
        _as_received(item),
        status=BatchStatus(item["status"]),
        stage=item["stage"],
        attempts=item["attempts"],
        sweeps=item["sweeps"],
        error=item["error"],
        counts=None if counts is None else Counts(**counts),
        updated_at=item["updatedAt"],
        completed_at=item["completedAt"],
        worker=item.get("worker"),
        deaths=item.get("deaths", 0),
    )
    counted = dict(item.get("counted") or {})
    by = counted.pop("by", None)
    return Record(
        batch,
        tuple((one["letter"], _move(one)) for one in item["moved"]),
        None if by is None else (by, Counts(**counted)),
        item["purging"],
        tuple(Staged(**one) for one in item.get("staged", ())),
        item.get("rawInItem"),
        tuple(
            Held(batch.id, instance_id, batch.hub, batch.partition, since, enqueued_from)
            for instance_id, since, enqueued_from in item.get("held", ())
        ),
        item.get("unlisted", "staged" not in item),
    )


def to_purged(batch: Batch, ttl: int) -> Item:
    """What is left of a batch; the service itself deletes it when the hub has its events no more."""
    return {
        "id": safe_id(batch.id),
        "bucket": bucket_of(batch.id),
        "kind": PURGED,
        "purgedSort": purged_sort(batch.hub, batch.partition, batch.last_sequence_number),
        **_delivered(batch),
        "ttl": ttl,
    }


def purged_sort(hub: str, partition: str, last: int) -> str:
    return f"{hub}|{partition}|{last:020d}"


def from_purged(item: Item) -> Batch:
    return replace(_as_received(item), status=BatchStatus.COMPLETED, updated_at=item["receivedAt"])


def _delivered(batch: Batch) -> Item:
    """What a batch is, whatever becomes of it: kept also when it has been purged."""
    return {
        "batchId": batch.id,
        "hub": batch.hub,
        "partition": batch.partition,
        "firstSequenceNumber": batch.first_sequence_number,
        "lastSequenceNumber": batch.last_sequence_number,
        "events": batch.events,
        "instanceId": batch.instance_id,
        "receivedAt": batch.received_at,
    }


def _as_received(item: Item) -> Batch:
    return Batch(
        id=item["batchId"],
        hub=item["hub"],
        partition=item["partition"],
        first_sequence_number=item["firstSequenceNumber"],
        last_sequence_number=item["lastSequenceNumber"],
        events=item["events"],
        instance_id=item["instanceId"],
        received_at=item["receivedAt"],
    )


def _move(said: Item) -> Move:
    if "outcome" in said:  # of an earlier version, in which every letter stood for one message
        stored = int(said["outcome"] == Outcome.STORED.value)
        return Move(1, stored, 1 - stored)
    return Move(said["messages"], said["stored"], said["duplicates"])


def increments(old: Batch | None, new: Batch) -> dict[str, int]:
    """What the change from ``old`` to ``new`` adds to the counters."""
    changes = {"events": new.events} if old is None else {}
    if old is None or old.status is not new.status:
        changes[f"batches_{new.status.value}"] = 1
        if old is not None:
            changes[f"batches_{old.status.value}"] = -1
    before = (old and old.counts) or Counts(0, 0, 0, 0)
    after = new.counts or Counts(0, 0, 0, 0)
    for name in ("messages", "stored", "duplicates", "rejected"):
        changes[name] = getattr(after, name) - getattr(before, name)
    return changes


def with_counts(record: Record, counts: Counts) -> Record:
    return replace(record, batch=replace(record.batch, counts=counts))
