"""Signals in two speeds: what cannot wait goes out with the batch, the rest once a window, one signal per drone.

A batch whose drones have not all been told is held (``HeldBatches``), and an instance of ``flush_drones`` is started
for its partition and the window in which it was completed: the id says both, so any number of starts make one. Ids come
again after ``SLOTS`` windows, and take the history of the instance before along. When the window is over the flush
merges what all held batches of the partition staged, signals each drone once, and releases them. It may run twice, or
beside another: the merge absorbs that. A start that was lost, or a flush that failed, is made up for by the sweeper:
held for longer than a window is held too long.
"""

from __future__ import annotations

import logging
import math
import time
import zlib
from typing import TypedDict
from weakref import WeakKeyDictionary

from observability import log
from pipeline.attempts import instance_prefix
from pipeline.clock import ago
from pipeline.durable import DurableClient
from pipeline.ports import Store

FLUSH = "flush_drones"
"""The orchestrator."""
FLUSH_ACTIVITY = "flush_window"
SLOTS = 8
"""A flush that takes longer than a window is not in the way of the next ones."""
LATE = "late"
_SPREAD = 1000


class Window(TypedDict):
    """Of one partition of the hub; it ends in so many ``seconds``."""

    hub: str
    partition: str
    seconds: float


class Flushed(TypedDict):
    """``more``: there are batches left to do."""

    batches: int
    drones: int
    more: bool


def window_at(partition: str, length: float, moment: float) -> tuple[int, float]:
    """The number of the window that ``moment`` lies in, and its end; all in seconds, since the epoch. Partitions have
    theirs at different times, so that the load is spread."""
    offset = length * (zlib.crc32(partition.encode()) % _SPREAD) / _SPREAD
    number = math.floor((moment - offset) / length)
    return number, (number + 1) * length + offset


def flush_id(hub: str, partition: str, slot: int | str) -> str:
    return f"{instance_prefix(hub)}~flush~{partition}~{slot}"


class Starter:
    """Starts flushes; remembers those of the last windows, so that a process asks once for each."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, str], int] = {}

    async def start(self, client: DurableClient, hub: str, partition: str, length: float) -> None:
        """For what has just been held. A failure is no error of the caller's: the sweeper starts what is missing."""
        moment = time.time()
        number, end = window_at(partition, length, moment)
        if self._started.get((hub, partition)) == number:
            return
        instance_id = flush_id(hub, partition, number % SLOTS)
        window: Window = {"hub": hub, "partition": partition, "seconds": round(end - moment, 3)}
        try:
            await client.start(FLUSH, instance_id, window)
        except Exception as error:
            log(logging.WARNING, "flush not started; the sweeper will", instanceId=instance_id, error=str(error))
            return
        self._started[hub, partition] = number


_of_store: WeakKeyDictionary[Store, Starter] = WeakKeyDictionary()


def starter_of(store: Store) -> Starter:
    """The one of this process for ``store``."""
    starter = _of_store.get(store)
    if starter is None:
        starter = _of_store[store] = Starter()
    return starter


async def sweep_held(store: Store, client: DurableClient, window_seconds: float, stalled_seconds: float) -> None:
    """Start a flush wherever something has been held for longer than a window; also when windows are off by now."""
    for hub, partition in await store.held.partitions(ago(window_seconds + stalled_seconds)):
        instance_id = flush_id(hub, partition, LATE)  # one at a time
        window: Window = {"hub": hub, "partition": partition, "seconds": 0.0}
        try:
            await client.start(FLUSH, instance_id, window)
        except Exception as error:
            log(logging.WARNING, "late flush not started", instanceId=instance_id, error=str(error))
        else:
            log(logging.WARNING, "flush made up for", instanceId=instance_id, partition=partition)
